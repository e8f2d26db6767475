"""Jobs: progress, manifest, outputs, cancel and delete."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status

from api.deps import JobsDep, StoreDep
from api.history import read_page
from api.links import etag_matches, etag_of, jobs_page_path
from api.problems import problem_responses
from api.routes.process import RETRY_AFTER_S
from api.views import job_reference, job_view, outputs_view
from core.errors import InvalidOption, JobNotFinished, JobNotFound
from stemcrate.schemas.jobs import Job, JobPage, JobReceipt, Outputs
from stemcrate.schemas.manifest import JobState, ProcessingManifest

router = APIRouter(tags=["jobs"])


@router.get("/jobs", operation_id="list_jobs", responses=problem_responses(InvalidOption))
def list_jobs(
    store: StoreDep,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=200, description="Maximum number of jobs.")] = 50,
    cursor: Annotated[
        str | None, Query(min_length=1, description="`next_cursor` of the previous page.")
    ] = None,
    state: Annotated[JobState | None, Query(description="Only jobs in this state.")] = None,
) -> JobPage:
    """List jobs, newest first. The `Link` header leads to the next page."""
    page = read_page(store, limit=limit, cursor=cursor, state=state)
    if page.next_cursor is not None:
        parameters: dict[str, str | int] = {"limit": limit, "cursor": page.next_cursor}
        if state is not None:
            parameters["state"] = state.value
        response.headers["Link"] = f'<{jobs_page_path(parameters)}>; rel="next"'
    return page


@router.get("/job/{id}", operation_id="get_job", responses=problem_responses(JobNotFound))
def get_job(id: str, store: StoreDep, jobs: JobsDep, response: Response) -> Job:
    """Return a job's state and progress."""
    manifest = store.load(id)
    if not manifest.state.is_final:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return job_view(manifest, jobs.progress(manifest))


@router.get(
    "/job/{id}/manifest",
    operation_id="get_manifest",
    response_model=ProcessingManifest,
    responses={304: {"description": "Unchanged."}, **problem_responses(JobNotFound)},
)
def get_manifest(
    id: str, store: StoreDep, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Return the manifest, the complete record of the job."""
    data = store.read_manifest(id)
    headers = {"ETag": etag_of(data), "Cache-Control": "no-cache"}
    if etag_matches(if_none_match, headers["ETag"]):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(data, media_type="application/json", headers=headers)


@router.get(
    "/job/{id}/outputs",
    operation_id="list_outputs",
    responses=problem_responses(JobNotFound, JobNotFinished),
)
def list_outputs(id: str, store: StoreDep) -> Outputs:
    """List the artefacts of an ended job with their URLs."""
    return outputs_view(store.load(id))


@router.post(
    "/job/{id}/cancel",
    operation_id="cancel_job",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problem_responses(JobNotFound),
)
def cancel_job(id: str, jobs: JobsDep) -> JobReceipt:
    """Cancel a job. Idempotent; an ended job is unchanged."""
    return job_reference(id, jobs.cancel(id))


@router.delete(
    "/job/{id}",
    operation_id="delete_job",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(JobNotFound),
)
def delete_job(id: str, jobs: JobsDep) -> None:
    """Cancel a job if it runs; remove its results, and its uploads unless another job uses them."""
    jobs.delete(id)
