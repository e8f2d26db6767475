"""Batches: thousands of files with the same options, a job for each."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, status

from api.batch_views import batch_manifest, batch_path, batch_views
from api.bodies import JsonRoute
from api.deps import ServicesDep
from api.links import next_page
from api.problems import problem_responses
from api.routes.process import RETRY_AFTER_S
from api.submission import read_options
from core import errors
from core.artifacts.job_ids import is_job_id, new_job_id
from core.system.disk import require_free
from stemcrate.schemas.batches import Batch, BatchList, BatchManifest, BatchPage, BatchRequest

router = APIRouter(tags=["batches"], route_class=JsonRoute)
Limit = Annotated[int, Query(ge=1, le=1000, description="Maximum number in the page.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the previous page.")]


@router.post(
    "/batches",
    operation_id="create_batch",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problem_responses(
        errors.UploadNotFound,
        errors.WebhookNotFound,
        errors.UploadIncomplete,
        errors.ModelUnavailable,
        errors.InvalidOption,
        errors.UnknownModel,
        errors.UnsupportedFormat,
        errors.QuotaExceeded,
        errors.StorageFull,
        errors.DatabaseUnavailable,
    ),
)
def create_batch(
    wanted: BatchRequest, request: Request, services: ServicesDep, response: Response
) -> Batch:
    """Make a job for each of many files that the server has.

    The batch is written at once, whole or not at all; a worker then makes its jobs, whatever dies
    meanwhile. A file that turns out to be unusable has no job, and fails in the batch.
    """
    require_free(services.store.data_dir, services.settings.min_free_bytes)
    options = read_options(services, wanted.options)
    id = getattr(request.state, "job_id", None) or new_job_id()
    if wanted.webhook_id is not None:
        services.webhooks.webhooks.get(wanted.webhook_id)
    record = services.batches.request(
        id, wanted.name, wanted.inputs, options, webhook_id=wanted.webhook_id
    )
    response.headers["Location"] = batch_path(record.id)
    response.headers["Retry-After"] = RETRY_AFTER_S
    return batch_views(services.batches.batches, [record])[0]


@router.get(
    "/batches", operation_id="list_batches", responses=problem_responses(errors.InvalidOption)
)
def list_batches(
    request: Request,
    services: ServicesDep,
    response: Response,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> BatchList:
    """List batches, newest first. The `Link` header leads to the next page."""
    if cursor is not None and not is_job_id(cursor):
        raise _bad_cursor(cursor)
    store = services.batches.batches
    records = store.page(cursor, limit + 1)
    page = BatchList(
        batches=batch_views(store, records[:limit]),
        next_cursor=records[limit - 1].id if len(records) > limit else None,
    )
    if page.next_cursor is not None:
        response.headers["Link"] = next_page("/batches", request.query_params, page.next_cursor)
    return page


@router.get(
    "/batches/{id}", operation_id="get_batch", responses=problem_responses(errors.BatchNotFound)
)
def get_batch(id: str, services: ServicesDep, response: Response) -> Batch:
    """Return the state of a batch, with the number of its files in each state."""
    record = services.batches.batches.get(id)
    if record.finished_at is None:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return batch_views(services.batches.batches, [record])[0]


@router.get(
    "/batches/{id}/jobs",
    operation_id="list_batch_jobs",
    responses=problem_responses(errors.BatchNotFound, errors.InvalidOption),
)
def list_batch_jobs(
    id: str,
    request: Request,
    services: ServicesDep,
    response: Response,
    limit: Limit = 200,
    cursor: Cursor = None,
) -> BatchPage:
    """List the files of a batch in their order. The `Link` header leads to the next page."""
    if cursor is not None and not (cursor.isdecimal() and len(cursor) < 10):
        raise _bad_cursor(cursor)
    record = services.batches.batches.get(id)
    items = services.batches.batches.items(record.id, int(cursor or -1), limit + 1)
    page = BatchPage(
        jobs=items[:limit],
        next_cursor=str(items[limit - 1].position) if len(items) > limit else None,
    )
    if page.next_cursor is not None:
        path = f"{batch_path(id)}/jobs"
        response.headers["Link"] = next_page(path, request.query_params, page.next_cursor)
    return page


@router.get(
    "/batches/{id}/manifest",
    operation_id="get_batch_manifest",
    responses=problem_responses(errors.BatchNotFound),
)
def get_batch_manifest(id: str, services: ServicesDep) -> BatchManifest:
    """Return the record of a batch: its options, and what became of each file."""
    store = services.batches.batches
    return batch_manifest(store, store.get(id))


@router.post(
    "/batches/{id}/cancel",
    operation_id="cancel_batch",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problem_responses(errors.BatchNotFound, errors.DatabaseUnavailable),
)
def cancel_batch(id: str, services: ServicesDep) -> Batch:
    """Make no more jobs, and cancel those that have not ended. Idempotent."""
    record = services.batches.cancel(id)
    return batch_views(services.batches.batches, [record])[0]


@router.delete(
    "/batches/{id}",
    operation_id="delete_batch",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(errors.BatchNotFound, errors.DatabaseUnavailable),
)
def delete_batch(id: str, services: ServicesDep) -> None:
    """Delete a batch with all its jobs; a worker removes their files soon."""
    services.batches.delete(id)


def _bad_cursor(cursor: str) -> errors.InvalidOption:
    return errors.InvalidOption(
        f"'{cursor[:64]}' is not a cursor.",
        hint="Give next_cursor of the page before, or none for the first page.",
        field="cursor",
    )
