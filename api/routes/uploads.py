"""Resumable uploads (tus 1.0): a file arrives in parts, and jobs take it by its id."""

from email.utils import format_datetime
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response, status
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.deps import ServicesDep
from api.problems import problem_responses, unsupported_media_type
from api.tus import file_name_in, parse_checksum
from api.uploads import BATCH_BYTES
from core import errors
from core.artifacts.names import clean_name
from core.artifacts.upload_parts import PartWriter
from core.system.disk import require_free
from stemcrate.schemas.uploads import UploadState

PART_TYPE = "application/offset+octet-stream"
router = APIRouter(tags=["uploads"])
Version = Annotated[str, Header(description="`1.0.0`.")]


@router.post(
    "/uploads",
    operation_id="create_upload",
    status_code=status.HTTP_201_CREATED,
    responses=problem_responses(errors.UploadTooLarge, errors.QuotaExceeded, errors.StorageFull),
)
def create_upload(
    services: ServicesDep,
    response: Response,
    upload_length: Annotated[int, Header(ge=0, description="Size of the file in bytes.")],
    upload_metadata: Annotated[
        str, Header(description="`filename` and the file's name in base64.")
    ] = "",
    tus_resumable: Version = "",
) -> UploadState:
    """Start an upload of a file; `Location` is its path."""
    settings = services.settings
    name = clean_name(file_name_in(upload_metadata))
    if upload_length > settings.max_upload_bytes:
        raise errors.UploadTooLarge(
            f"'{name}' is larger than {settings.max_upload_bytes} bytes.",
            hint="Send a smaller file, or raise MAX_UPLOAD_BYTES.",
            field="file",
        )
    needed = settings.min_free_bytes + upload_length if settings.min_free_bytes else 0
    require_free(services.store.data_dir, needed)
    services.quotas.require_room(upload_length)
    services.quotas.count_upload(upload_length)
    state = services.incoming.create(name, upload_length, upload_metadata)
    response.headers["Location"] = f"/uploads/{state.id}"
    _describe(response, state)
    return state


@router.get(
    "/uploads/{id}",
    operation_id="get_upload",
    responses=problem_responses(errors.UploadNotFound),
)
def get_upload(id: str, services: ServicesDep, response: Response) -> UploadState:
    """Return how much of a file has arrived; `HEAD` says the same in headers."""
    state = services.incoming.get(id)
    _describe(response, state)
    if metadata := services.incoming.metadata(id):
        response.headers["Upload-Metadata"] = metadata
    return state


@router.patch(
    "/uploads/{id}",
    operation_id="append_upload",
    status_code=status.HTTP_204_NO_CONTENT,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {PART_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    responses=problem_responses(
        errors.UploadNotFound,
        errors.UploadOffsetMismatch,
        errors.UploadBusy,
        errors.UploadTooLarge,
        errors.ChecksumMismatch,
        errors.StorageFull,
    ),
)
async def append_upload(
    id: str,
    services: ServicesDep,
    request: Request,
    upload_offset: Annotated[int, Header(ge=0, description="Where the part starts.")],
    upload_checksum: Annotated[
        str | None, Header(description="`sha256` or `sha1`, and the digest in base64.")
    ] = None,
    tus_resumable: Version = "",
) -> Response:
    """Append a part. What arrived of a part that was cut off stays, if it has no checksum."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != PART_TYPE:
        raise unsupported_media_type(f"A part of an upload is {PART_TYPE}")
    require_free(services.store.data_dir, services.settings.min_free_bytes)
    appending = services.incoming.append(id, upload_offset, parse_checksum(upload_checksum))
    writer = await run_in_threadpool(appending.__enter__)
    try:
        await _receive(request, writer)
    except BaseException as error:
        # In a thread of its own, also while the request is being cancelled.
        appending.__exit__(type(error), error, error.__traceback__)
        raise
    await run_in_threadpool(appending.__exit__, None, None, None)
    response = Response(status_code=status.HTTP_204_NO_CONTENT)
    _describe(response, await run_in_threadpool(services.incoming.get, id))
    return response


@router.delete(
    "/uploads/{id}",
    operation_id="delete_upload",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(errors.UploadNotFound, errors.UploadBusy),
)
def delete_upload(id: str, services: ServicesDep, tus_resumable: Version = "") -> None:
    """Delete an upload; a job that took it keeps its file."""
    services.incoming.remove(id)


async def _receive(request: Request, writer: PartWriter) -> None:
    """Write the body as it arrives, off the event loop; also its last bytes before a cut."""
    batch = bytearray()
    try:
        async for chunk in request.stream():
            batch += chunk
            if len(batch) >= BATCH_BYTES:
                await run_in_threadpool(writer.write, bytes(batch))
                batch.clear()
    except ClientDisconnect:
        await run_in_threadpool(writer.write, bytes(batch))
        raise
    await run_in_threadpool(writer.write, bytes(batch))


def _describe(response: Response, state: UploadState) -> None:
    response.headers["Upload-Offset"] = str(state.offset)
    response.headers["Upload-Length"] = str(state.bytes)
    response.headers["Upload-Expires"] = format_datetime(state.expires_at, usegmt=True)
    response.headers["Cache-Control"] = "no-store"
