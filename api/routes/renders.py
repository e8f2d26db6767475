"""Renders: mixes and transitions that are made on the server."""

import base64
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response, status

from api.bodies import JsonRoute
from api.deps import ServicesDep
from api.files import ArtefactResponse, media_type_of
from api.links import content_disposition, etag_matches, render_path, strong_etag
from api.problems import problem_responses
from api.routes.process import RETRY_AFTER_S
from api.views import render_view
from core import errors
from core.system.disk import require_free
from stemcrate.schemas.problem import MEDIA_TYPE
from stemcrate.schemas.renders import Render, RenderRequest

router = APIRouter(tags=["renders"], route_class=JsonRoute)


@router.post(
    "/renders",
    operation_id="create_render",
    status_code=status.HTTP_202_ACCEPTED,
    responses={
        200: {"model": Render, "description": "It was made already."},
        **problem_responses(
            errors.JobNotFound,
            errors.TrackNotFound,
            errors.ArtefactNotFound,
            errors.JobNotFinished,
            errors.BeatGridMissing,
            errors.InvalidOption,
            errors.UnsupportedFormat,
            errors.StorageFull,
        ),
    },
)
def create_render(request: RenderRequest, services: ServicesDep, response: Response) -> Render:
    """Render a mix of a track's stems, or the transition from one track into another.

    The same request on the same audio is the same render: it is made once, and answered with 200
    when it is complete. One that failed is made again.
    """
    require_free(services.store.data_dir, services.settings.min_free_bytes)
    record = services.renders.request(request)
    response.headers["Location"] = render_path(record.id)
    if record.state.is_final:
        response.status_code = status.HTTP_200_OK
    else:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return render_view(record, services.renders.fraction(record))


@router.get(
    "/renders/{id}",
    operation_id="get_render",
    responses=problem_responses(errors.RenderNotFound),
)
def get_render(id: str, services: ServicesDep, response: Response) -> Render:
    """Return a render's state and progress."""
    record = services.renders.renders.load(id)
    if not record.state.is_final:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return render_view(record, services.renders.fraction(record))


@router.delete(
    "/renders/{id}",
    operation_id="delete_render",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(errors.RenderNotFound),
)
def delete_render(id: str, services: ServicesDep) -> None:
    """Stop a render if it runs, and remove it with its file."""
    services.renders.delete(id)


@router.get(
    "/renders/{id}/file",
    operation_id="download_render",
    response_class=Response,
    responses={
        200: {"content": {"audio/*": {}}, "description": "The whole file."},
        206: {"description": "The range asked for."},
        304: {"description": "Unchanged."},
        416: {"content": {MEDIA_TYPE: {}}, "description": "`range_not_satisfiable`"},
        **problem_responses(errors.RenderNotFound, errors.RenderNotFinished),
    },
)
def download_render(
    id: str,
    services: ServicesDep,
    disposition: Annotated[
        Literal["attachment", "inline"],
        Query(description="`attachment` saves the file, `inline` lets a browser play it."),
    ] = "attachment",
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return the file of a completed render, or the requested range."""
    renders = services.renders.renders
    record = renders.load(id)
    path = renders.audio_path(record)
    assert record.file is not None
    digest = base64.b64encode(bytes.fromhex(record.file.sha256)).decode()
    headers = {
        "ETag": strong_etag(record.file.sha256),
        "Repr-Digest": f"sha-256=:{digest}:",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": content_disposition(disposition, record.file.name),
    }
    if etag_matches(if_none_match, headers["ETag"]):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return ArtefactResponse(path, media_type=media_type_of(record.file.name), headers=headers)
