"""Corrections of a track by hand: change, undo."""

from fastapi import APIRouter, Response

from api.bodies import JsonRoute
from api.deps import IfMatch, LibraryDep
from api.links import read_precondition, strong_etag
from api.problems import problem_responses
from core import errors
from core.library.details import describe_track
from stemcrate.schemas.corrections import CorrectionsChange
from stemcrate.schemas.library import TrackDetails

router = APIRouter(tags=["library"], route_class=JsonRoute)


@router.patch(
    "/library/tracks/{id}",
    operation_id="correct_track",
    responses=problem_responses(
        errors.TrackNotFound,
        errors.TrackChanged,
        errors.GridLocked,
        errors.InvalidOption,
        errors.StorageFull,
    ),
)
def correct_track(
    id: str,
    change: CorrectionsChange,
    library: LibraryDep,
    response: Response,
    if_match: IfMatch = None,
) -> TrackDetails:
    """Correct a track by hand; fields that are left out stay, null undoes a correction.

    Corrections win over every analysis and tag, and are used everywhere: search, sets, exports.
    """
    library.correct(id, change, versions=read_precondition(if_match))
    return _details(library, id, response)


@router.post(
    "/library/tracks/{id}/corrections/undo",
    operation_id="undo_correction",
    responses=problem_responses(errors.TrackNotFound, errors.TrackChanged, errors.StorageFull),
)
def undo_correction(
    id: str, library: LibraryDep, response: Response, if_match: IfMatch = None
) -> TrackDetails:
    """Undo the last change of a track's corrections; without one nothing changes."""
    library.undo_correction(id, versions=read_precondition(if_match))
    return _details(library, id, response)


def _details(library: LibraryDep, track_id: str, response: Response) -> TrackDetails:
    details = describe_track(library, track_id)
    response.headers["ETag"] = strong_etag(details.version)
    return details
