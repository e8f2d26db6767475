"""Converts library objects to API models."""

from collections.abc import Iterable, Sequence

from api.views import job_reference
from core.errors import StemcrateError
from core.export.format import PACK
from core.export.registry import EXPORTERS
from core.library.catalogue.summary import TrackSummary
from core.library.duplicates import DuplicateGroup
from core.library.intake.importing import ImportReport
from core.library.library import Library
from core.library.records.playlists import version_of
from core.library.records.record import PlaylistRecord
from stemcrate.schemas.library import (
    Added,
    Adding,
    CompatibleTrack,
    CompatibleTracks,
    DuplicateGroupView,
    Duplicates,
    RefusedFile,
    SimilarTrack,
    SimilarTracks,
    TrackLine,
)
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.playlists import PlaylistLine, PlaylistView
from stemcrate.schemas.transitions import Transition


def track_line(track: TrackSummary) -> TrackLine:
    """Return the summary of a track; paths of its files are not exposed."""
    return TrackLine.model_validate(track.model_dump(exclude={"paths"}))


def added_view(report: ImportReport) -> Added:
    """Return the outcome of adding a job's tracks."""
    return Added(
        added=report.added,
        known=report.known,
        refused=[_refused_file(refusal.path, refusal.error) for refusal in report.refused],
    )


def adding_view(
    job_id: str | None, known: list[str], refusals: Sequence[tuple[str, StemcrateError]]
) -> Adding:
    """Return the outcome of an upload: the job of new files, known tracks, and refused files."""
    return Adding(
        job=None if job_id is None else job_reference(job_id, JobState.QUEUED),
        known=known,
        refused=[_refused_file(name, error) for name, error in refusals],
    )


def _refused_file(name: str, error: StemcrateError) -> RefusedFile:
    return RefusedFile(name=name, code=error.code, detail=error.message, hint=error.hint)


def similar_view(found: Iterable[tuple[TrackSummary, float]]) -> SimilarTracks:
    """Return similar tracks."""
    return SimilarTracks(
        tracks=[
            SimilarTrack(track=track_line(track), similarity=similarity)
            for track, similarity in found
        ]
    )


def compatible_view(found: Iterable[tuple[TrackSummary, Transition]]) -> CompatibleTracks:
    """Return compatible tracks."""
    return CompatibleTracks(
        tracks=[CompatibleTrack(track=track_line(track), transition=step) for track, step in found]
    )


def duplicates_view(groups: Sequence[DuplicateGroup]) -> Duplicates:
    """Return groups of duplicates."""
    return Duplicates(
        groups=[
            DuplicateGroupView(
                level=group.level,
                bit_error_rate=group.bit_error_rate,
                tracks=[track_line(track) for track in group.tracks],
            )
            for group in groups
        ]
    )


def playlist_line(record: PlaylistRecord) -> PlaylistLine:
    """Return the summary of a playlist."""
    return PlaylistLine(
        id=record.id,
        name=record.name,
        created_at=record.created_at,
        n_tracks=len(record.track_ids),
    )


def playlist_view(library: Library, record: PlaylistRecord) -> PlaylistView:
    """Return a playlist with its tracks."""
    tracks = library.summaries(record.track_ids)
    there = {track.id for track in tracks}
    plan = record.plan
    return PlaylistView(
        **playlist_line(record).model_dump(),
        version=version_of(record),
        request=plan.request,
        duration_s=plan.duration_s,
        score=plan.score,
        curve_fit=plan.curve_fit,
        order=record.track_ids,
        starts_s=plan.starts_s,
        wanted_energy=plan.wanted_energy,
        tracks=[track_line(track) for track in tracks],
        gone=[track_id for track_id in record.track_ids if track_id not in there],
        transitions=plan.transitions,
        relaxed=plan.relaxed,
        exports={
            name: f"{playlist_path(record.id)}/export/{name}" for name in (*EXPORTERS.names(), PACK)
        },
    )


def playlist_path(playlist_id: str) -> str:
    """Return the path of a playlist."""
    return f"/playlists/{playlist_id}"
