"""The library: add and remove tracks, search, similar and compatible tracks."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response, status

from api.deps import LibraryDep, ServicesDep, SetsDep, StoreDep
from api.files import ArtefactResponse
from api.lane_requests import in_thread
from api.library_views import (
    added_view,
    compatible_view,
    duplicates_view,
    similar_view,
    track_line,
)
from api.links import etag_matches, next_page, strong_etag
from api.openapi import upload_request_body
from api.places import run_in_place
from api.problems import problem_responses
from api.routes.process import RETRY_AFTER_S
from api.submission import received, submit_to_library
from core import errors
from core.library.details import describe_track
from core.library.duplicates import find_duplicates
from core.library.intake.job_tracks import enter_job
from core.library.intake.uploads import remove_track
from stemcrate.schemas.enrichment import SimilarityBasis
from stemcrate.schemas.facts import MIXTURE
from stemcrate.schemas.library import (
    Added,
    Adding,
    CompatibleTracks,
    Duplicates,
    LibraryMap,
    LibraryPage,
    SimilarTracks,
    TrackDetails,
)
from stemcrate.schemas.search import MAX_LIMIT, TrackQuery, TrackSearch
from stemcrate.schemas.sets import DEFAULT_MAX_PITCH_PERCENT

THUMBNAIL_STAYS = "private, max-age=86400"

router = APIRouter(tags=["library"])
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Maximum number of tracks.")]


@router.get(
    "/library/tracks",
    operation_id="list_tracks",
    responses=problem_responses(errors.InvalidOption, errors.CollectionNotFound),
)
def list_tracks(
    query: Annotated[TrackQuery, Query()],
    request: Request,
    library: LibraryDep,
    response: Response,
) -> LibraryPage:
    """Search the library, page by page; tempo ranges include half and double tempo.

    The `Link` header leads to the next page.
    """
    page = library.search(query)
    if page.next_cursor is not None:
        response.headers["Link"] = next_page(
            "/library/tracks", request.query_params, page.next_cursor
        )
    return LibraryPage(
        tracks=[track_line(t) for t in page.tracks],
        next_cursor=page.next_cursor,
        total=page.total,
    )


@router.post(
    "/library/tracks",
    operation_id="add_tracks",
    status_code=status.HTTP_202_ACCEPTED,
    openapi_extra=upload_request_body(),
    responses={
        status.HTTP_200_OK: {"model": Adding, "description": "No file was new; there is no job."},
        **problem_responses(
            errors.InvalidOption,
            errors.UploadTooLarge,
            errors.QuotaExceeded,
            errors.StorageFull,
            errors.ServerBusy,
            errors.ScannerUnavailable,
            errors.DatabaseUnavailable,
        ),
    },
)
async def add_tracks(request: Request, services: ServicesDep, response: Response) -> Adding:
    """Add uploaded files: a job analyses them and adds them when it ends.

    A bad file does not affect the others. Sending a file again changes nothing; without a new file
    there is no job, and the status is 200.
    """
    async with received(request, services) as intake:
        adding = await submit_to_library(services, intake)
    if adding.job is None:
        response.status_code = status.HTTP_200_OK
    else:
        response.headers["Location"] = adding.job.links.self
        response.headers["Retry-After"] = RETRY_AFTER_S
    return adding


@router.post(
    "/library/tracks/from-job/{id}",
    operation_id="add_job_tracks",
    responses=problem_responses(errors.JobNotFound, errors.JobNotFinished, errors.ServerBusy),
)
async def add_job_tracks(id: str, services: ServicesDep) -> Added:
    """Add the tracks of an ended job, with its facts and stems.

    A file that takes too long to read does not affect the others.
    """
    report = await run_in_place(services.entering, enter_job, services.library, services.store, id)
    return added_view(report)


@router.get(
    "/library/map",
    operation_id="get_map",
    responses=problem_responses(errors.InvalidOption, errors.CollectionNotFound),
)
def get_map(search: Annotated[TrackSearch, Query()], library: LibraryDep) -> LibraryMap:
    """Count tracks by key and tempo, of a search or of all."""
    return library.map(search)


@router.get("/library/duplicates", operation_id="list_duplicates", responses=problem_responses())
def list_duplicates(library: LibraryDep) -> Duplicates:
    """List duplicates in the library, most certain first."""
    return duplicates_view(find_duplicates(library))


@router.get(
    "/library/tracks/{id}",
    operation_id="get_track",
    responses=problem_responses(errors.TrackNotFound),
)
def get_track(id: str, library: LibraryDep, response: Response) -> TrackDetails:
    """Return all that is known of a track, with its corrections.

    The `ETag` is for `If-Match` of a correction.
    """
    details = describe_track(library, id)
    response.headers["ETag"] = strong_etag(details.version)
    return details


@router.delete(
    "/library/tracks/{id}",
    operation_id="remove_track",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(errors.TrackNotFound),
)
def delete_track(id: str, library: LibraryDep, store: StoreDep) -> None:
    """Remove a track with its uploaded bytes; files on this machine stay."""
    remove_track(library, store, id)


@router.get(
    "/library/tracks/{id}/cover",
    operation_id="get_cover",
    response_class=Response,
    responses={
        200: {"content": {"image/jpeg": {}, "image/png": {}}, "description": "The cover."},
        **problem_responses(errors.TrackNotFound, errors.ArtefactNotFound),
    },
)
def get_cover(id: str, library: LibraryDep) -> Response:
    """Return the cover from the track's tags."""
    found = library.cover_path(id)
    if found is None:
        raise errors.ArtefactNotFound(f"Track '{id}' has no cover.")
    path, mime = found
    return ArtefactResponse(path, media_type=mime, headers={"Cache-Control": "no-cache"})


@router.get(
    "/library/tracks/{id}/thumbnail",
    operation_id="get_thumbnail",
    response_class=Response,
    responses={
        200: {"content": {"image/webp": {}}, "description": "The picture."},
        304: {"description": "Unchanged."},
        **problem_responses(errors.TrackNotFound, errors.ArtefactNotFound, errors.StageFailed),
    },
)
async def get_thumbnail(
    id: str, services: ServicesDep, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Return the cover in small, for lists: WebP, at most 256 pixels wide and high."""

    def make() -> tuple[str, bytes | None]:
        found = services.library.cover_path(id)
        return (found[0].name, services.listener.thumbnail(found[0])) if found else ("", None)

    sha256, picture = await in_thread(services, make)
    if picture is None:
        raise errors.ArtefactNotFound(f"Track '{id}' has no cover that can be shown.")
    etag = strong_etag(f"{sha256}-thumbnail")
    headers = {"ETag": etag, "Cache-Control": THUMBNAIL_STAYS}
    if etag_matches(if_none_match, etag):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(picture, media_type="image/webp", headers=headers)


@router.get(
    "/library/tracks/{id}/similar",
    operation_id="list_similar",
    responses=problem_responses(errors.TrackNotFound, errors.InvalidOption),
)
def list_similar(
    id: str,
    library: LibraryDep,
    basis: Annotated[
        SimilarityBasis,
        Query(
            description="What is compared: `descriptors` of the analysis, or the `sound` or `tags` "
            "that an enricher found. Results of different models are never compared."
        ),
    ] = SimilarityBasis.DESCRIPTORS,
    part: Annotated[
        str, Query(description="`mixture`, or a stem such as `drums`, by descriptors.")
    ] = MIXTURE,
    limit: Limit = 20,
) -> SimilarTracks:
    """List the tracks that sound most similar: nearest neighbours of their vectors."""
    return similar_view(library.similar(id, basis=basis, part=part, limit=limit))


@router.get(
    "/library/tracks/{id}/compatible",
    operation_id="list_compatible",
    responses=problem_responses(errors.TrackNotFound, errors.InvalidOption),
)
def list_compatible(
    id: str,
    sets: SetsDep,
    max_pitch_percent: Annotated[
        float, Query(gt=0, lt=100, description="Maximum pitch change.")
    ] = DEFAULT_MAX_PITCH_PERCENT,
    limit: Limit = 20,
) -> CompatibleTracks:
    """List the tracks that mix well after this one, with scores and reasons."""
    return compatible_view(sets.compatible(id, limit=limit, max_pitch_percent=max_pitch_percent))
