"""Jobs: progress, manifest, outputs, cancel, retry and delete."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response, status

from api.deps import JobsDep, LibraryDep, StoreDep
from api.history import read_page
from api.links import etag_matches, etag_of, next_page
from api.problems import problem_responses
from api.routes.process import RETRY_AFTER_S
from api.views import job_reference, job_view, outputs_view
from core.errors import (
    DatabaseUnavailable,
    InvalidOption,
    JobNotFinished,
    JobNotFound,
    JobNotRetryable,
    QuotaExceeded,
    StorageFull,
)
from core.library.corrections.jobs import correct_manifest
from stemcrate.schemas.jobs import Job, JobPage, JobQuery, JobReceipt, Outputs
from stemcrate.schemas.manifest import ProcessingManifest

router = APIRouter(tags=["jobs"])


@router.get("/jobs", operation_id="list_jobs", responses=problem_responses(InvalidOption))
def list_jobs(
    query: Annotated[JobQuery, Query()], request: Request, store: StoreDep, response: Response
) -> JobPage:
    """List jobs, newest first. The `Link` header leads to the next page."""
    page = read_page(store, query)
    if page.next_cursor is not None:
        response.headers["Link"] = next_page("/jobs", request.query_params, page.next_cursor)
    return page


@router.get("/job/{id}", operation_id="get_job", responses=problem_responses(JobNotFound))
def get_job(
    id: str, store: StoreDep, jobs: JobsDep, library: LibraryDep, response: Response
) -> Job:
    """Return a job's state and progress; facts of its tracks have the corrections by hand."""
    manifest = store.load(id)
    if not manifest.state.is_final:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return job_view(
        correct_manifest(manifest, library.corrections),
        jobs.progress(manifest),
        can_retry=jobs.can_retry(manifest),
        queue_place=jobs.queue_place(manifest),
    )


@router.get(
    "/job/{id}/manifest",
    operation_id="get_manifest",
    response_model=ProcessingManifest,
    responses={304: {"description": "Unchanged."}, **problem_responses(JobNotFound)},
)
def get_manifest(
    id: str, store: StoreDep, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Return the manifest, the complete record of the job, with facts as they were found."""
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


@router.post(
    "/job/{id}/retry",
    operation_id="retry_job",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problem_responses(
        JobNotFound, JobNotRetryable, QuotaExceeded, DatabaseUnavailable, StorageFull
    ),
)
def retry_job(id: str, jobs: JobsDep) -> JobReceipt:
    """Queue an ended job again; finished stages are kept, failed and cancelled ones repeated."""
    return job_reference(id, jobs.retry(id))


@router.delete(
    "/job/{id}",
    operation_id="delete_job",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(JobNotFound),
)
def delete_job(id: str, jobs: JobsDep) -> None:
    """Cancel a job if it runs; remove its results, and its uploads unless another job uses them."""
    jobs.delete(id)
