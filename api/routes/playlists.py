"""Playlists: plan, reorder, delete, and export for DJ programs."""

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from api.bodies import JsonRoute
from api.deps import IfMatch, LibraryDep, Services, ServicesDep, SetsDep
from api.files import DOCUMENT_TYPES, MakingResponse, media_type_of
from api.library_views import playlist_line, playlist_path, playlist_view
from api.links import content_disposition, next_page, read_precondition, strong_etag
from api.problems import problem_responses
from core import errors
from core.export.format import PACK, Export, ExportOptions, target_folder
from core.export.names import safe_name
from core.library.records.record import PlaylistRecord
from core.sets.exporting import export_playlist
from core.sets.pack_stream import PackOrder, PackStream
from stemcrate.schemas.playlists import (
    PlaylistChange,
    PlaylistOrder,
    PlaylistPage,
    PlaylistRequest,
    PlaylistView,
    StemFormat,
    TargetSystem,
)

WARNINGS = "X-Stemcrate-Warnings"
MAX_WARNINGS_BYTES = 4096  # of a header, of which proxies take 8 KB in all
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)

router = APIRouter(tags=["playlists"], route_class=JsonRoute)


@router.post(
    "/playlists",
    operation_id="create_playlist",
    status_code=status.HTTP_201_CREATED,
    responses=problem_responses(errors.InvalidOption, errors.TrackNotFound),
)
def create_playlist(
    wishes: PlaylistRequest, library: LibraryDep, sets: SetsDep, response: Response
) -> PlaylistView:
    """Plan a set and save it; `relaxed` lists what could not be met."""
    record = sets.create(wishes)
    response.headers["Location"] = playlist_path(record.id)
    return _view(library, record, response)


@router.get(
    "/playlists", operation_id="list_playlists", responses=problem_responses(errors.InvalidOption)
)
def list_playlists(
    library: LibraryDep,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=200, description="Maximum number of playlists.")] = 50,
    cursor: Annotated[
        str | None, Query(min_length=1, description="`next_cursor` of the previous page.")
    ] = None,
) -> PlaylistPage:
    """List playlists, newest first. The `Link` header leads to the next page."""
    records, next_cursor = library.playlists.page(limit=limit, cursor=cursor)
    if next_cursor is not None:
        response.headers["Link"] = next_page("/playlists", {"limit": limit}, next_cursor)
    return PlaylistPage(playlists=[playlist_line(r) for r in records], next_cursor=next_cursor)


@router.get(
    "/playlists/{id}",
    operation_id="get_playlist",
    responses=problem_responses(errors.PlaylistNotFound),
)
def get_playlist(id: str, library: LibraryDep, response: Response) -> PlaylistView:
    """Return a playlist with its tracks and transitions, with reasons."""
    return _view(library, library.playlists.get(id), response)


@router.patch(
    "/playlists/{id}",
    operation_id="rename_playlist",
    responses=problem_responses(
        errors.PlaylistNotFound, errors.InvalidOption, errors.PlaylistChanged
    ),
)
def rename_playlist(
    id: str,
    wanted: PlaylistChange,
    library: LibraryDep,
    response: Response,
    if_match: IfMatch = None,
) -> PlaylistView:
    """Rename a playlist."""
    versions = read_precondition(if_match)
    return _view(library, library.playlists.rename(id, wanted.name, versions=versions), response)


@router.put(
    "/playlists/{id}/tracks",
    operation_id="reorder_playlist",
    responses=problem_responses(
        errors.PlaylistNotFound, errors.TrackNotFound, errors.PlaylistChanged
    ),
)
def reorder_playlist(
    id: str,
    order: PlaylistOrder,
    library: LibraryDep,
    sets: SetsDep,
    response: Response,
    if_match: IfMatch = None,
) -> PlaylistView:
    """Reorder a playlist, and rate it anew; tracks may be added and removed."""
    versions = read_precondition(if_match)
    return _view(library, sets.reorder(id, order.tracks, versions=versions), response)


@router.delete(
    "/playlists/{id}",
    operation_id="delete_playlist",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(errors.PlaylistNotFound),
)
def delete_playlist(id: str, library: LibraryDep) -> None:
    """Delete a playlist; its tracks stay in the library."""
    library.playlists.delete(id)


@router.get(
    "/playlists/{id}/export/{format}",
    operation_id="export_playlist",
    response_class=Response,
    responses={
        200: {
            "content": {media_type: {} for media_type in DOCUMENT_TYPES},
            "description": "The file, or a ZIP where the format has several.",
        },
        **problem_responses(
            errors.PlaylistNotFound,
            errors.ArtefactNotFound,
            errors.InvalidOption,
            errors.UnsupportedFormat,
            errors.ServerBusy,
        ),
    },
)
def export_one(
    id: str,
    format: str,
    services: ServicesDep,
    target: Annotated[
        str | None,
        Query(min_length=1, description="Target folder of the audio; some formats need it."),
    ] = None,
    system: Annotated[
        TargetSystem | None,
        Query(description="System of the target folder; by default, the path tells."),
    ] = None,
    stem_format: Annotated[
        StemFormat, Query(description="Of the STEM files in the pack.")
    ] = StemFormat.ALAC_24,
) -> Response:
    """Export a playlist for a DJ program; tracks are named as files in the target folder.

    The format `pack` is one ZIP of everything, including audio and stems.
    """
    library = services.library
    record = library.playlists.get(id)
    folder = None if target is None else target_folder(target, system)
    options = ExportOptions(target=folder, stem_format=stem_format)
    if format == PACK:
        return _stream_pack(services, record, options)
    export = export_playlist(library, record, format, options, by_name=True)
    if len(export.files) == 1:
        ((name, data),) = export.files.items()
        media_type = media_type_of(name)
    else:
        name, data, media_type = f"{safe_name(record.name)}.zip", _pack(export), "application/zip"
    return Response(data, media_type=media_type, headers=_headers(name, export.warnings))


def _view(library: LibraryDep, record: PlaylistRecord, response: Response) -> PlaylistView:
    view = playlist_view(library, record)
    response.headers["ETag"] = strong_etag(view.version)
    return view


def _stream_pack(services: Services, record: PlaylistRecord, options: ExportOptions) -> Response:
    """Stream a DJ pack while a process of its own makes it. Raises `ServerBusy`."""
    settings = services.settings
    if not services.packing.acquire(blocking=False):
        raise errors.ServerBusy(
            f"{settings.pack_processes} packs are being made, as many as may be at a time.",
            hint="Ask again when one is done, or raise PACK_PROCESSES.",
        )
    order = PackOrder(
        settings.storage(),
        settings.resolved_database_url(),
        services.library.owner,
        record,
        options,
    )
    try:
        pack = PackStream(order, settings.pack_limits())
    except BaseException:
        services.packing.release()
        raise

    def close() -> None:
        pack.close()
        services.packing.release()

    headers = _headers(f"{safe_name(record.name)}.zip", pack.warnings)
    return MakingResponse(pack, close, media_type="application/zip", headers=headers)


def _headers(name: str, warnings: Sequence[str]) -> dict[str, str]:
    """Return the headers of a download, with warnings as far as they fit."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": content_disposition("attachment", name),
    }
    told = list(warnings)
    while len(text := json.dumps(told)) > MAX_WARNINGS_BYTES:
        n_left = max(1, len(told) // 2)
        told = [*warnings[: n_left - 1], f"{len(warnings) - n_left + 1} more warnings."]
    if told:
        headers[WARNINGS] = text
    return headers


def _pack(export: Export) -> bytes:
    """Zip a format's files, which are small; the same files give the same bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, data in export.files.items():
            pack.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data)
    return file.getvalue()
