"""Downloads: one artefact by name, or everything in one ZIP."""

import base64
from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response, status
from starlette.responses import StreamingResponse

from api.deps import ServicesDep, StoreDep
from api.files import stored_response
from api.links import content_disposition, etag_matches, strong_etag, zip_name
from api.problems import problem_responses
from api.ranges import cut, requested_range
from api.views import require_final
from core.errors import ArtefactNotFound, JobNotFinished, JobNotFound
from core.export.pack import open_pack
from core.pipeline.contents import pack_entries
from stemcrate.schemas.problem import MEDIA_TYPE

router = APIRouter(tags=["downloads"])


@router.get(
    "/download/{id}/all",
    operation_id="download_zip",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/zip": {}}, "description": "The ZIP."},
        206: {"description": "The range asked for."},
        304: {"description": "Unchanged."},
        416: {"content": {MEDIA_TYPE: {}}, "description": "`range_not_satisfiable`"},
        **problem_responses(JobNotFound, JobNotFinished),
    },
)
def download_zip(
    id: str,
    store: StoreDep,
    if_none_match: Annotated[str | None, Header()] = None,
    byte_range: Annotated[str | None, Header(alias="range")] = None,
    if_range: Annotated[str | None, Header()] = None,
) -> Response:
    """Stream all artefacts and the manifest as one ZIP, made while it is sent.

    Files are stored, not compressed, so the length is known from the start. The same files give
    the same bytes, so an interrupted download can be resumed.
    """
    manifest = store.load(id)
    require_final(manifest)
    pack = open_pack(pack_entries(store, manifest))
    n_bytes = pack.size_bytes
    headers = {
        "ETag": strong_etag(pack.fingerprint),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": content_disposition("attachment", zip_name(manifest)),
    }
    if etag_matches(if_none_match, headers["ETag"]):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    part = requested_range(byte_range, if_range, etag=headers["ETag"], n_bytes=n_bytes)
    if part is None:
        headers["Content-Length"] = str(n_bytes)
        return StreamingResponse(iter(pack), media_type="application/zip", headers=headers)
    headers["Content-Length"] = str(len(part))
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{n_bytes}"
    return StreamingResponse(
        cut(pack, part),
        status_code=status.HTTP_206_PARTIAL_CONTENT,
        media_type="application/zip",
        headers=headers,
    )


@router.get(
    "/download/{id}/{track:path}",
    operation_id="download_artefact",
    response_class=Response,
    responses={
        200: {
            "content": {"application/octet-stream": {}, "audio/*": {}},
            "description": "The whole artefact.",
        },
        206: {"description": "The range asked for."},
        304: {"description": "Unchanged."},
        416: {"content": {MEDIA_TYPE: {}}, "description": "`range_not_satisfiable`"},
        **problem_responses(JobNotFound, ArtefactNotFound, JobNotFinished),
    },
)
def download_artefact(
    id: str,
    track: str,
    request: Request,
    services: ServicesDep,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return an artefact's bytes, or the requested range.

    `track` is the name that `/job/{id}/outputs` lists; it may hold slashes. Players ignore that
    it is an attachment; a link to it saves the file.
    """
    store = services.store
    require_final(store.load(id))
    artefact = store.artefact(id, track)
    path = store.artefact_path(id, artefact)
    headers = {
        "ETag": strong_etag(artefact.sha256),
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(artefact.sha256)).decode()}:",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": content_disposition("attachment", PurePath(track).name),
    }
    if etag_matches(if_none_match, headers["ETag"]):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return stored_response(
        store,
        path,
        n_bytes=artefact.bytes,
        asked=request,
        headers=headers,
        redirect_s=services.settings.storage_redirect_s,
    )
