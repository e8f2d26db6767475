"""From a list of tracks to tracks of the library: collected one by one, added in batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.analysis.store import FactStore
from core.errors import StemcrateError
from core.library.intake.importing import SourceFile, import_files
from core.library.library import Library
from core.sources.collecting import Collected, Collector
from core.sources.lists.reading import MAX_TRACKS
from core.sources.source import Playlist
from stemcrate.schemas.ingests import IngestedTrack, TrackOutcome
from stemcrate.schemas.manifest import Failure

BATCH = 8
"""Fetched files that are added together: none waits for the end of a long list."""

Told = Callable[[], None]
"""Called whenever a track has got another outcome; what it raises ends the ingest."""


@dataclass(frozen=True, slots=True)
class Found:
    """A track of a list whose file is there."""

    track: IngestedTrack
    name: str
    path: Path


def collect(tracks: list[IngestedTrack], collector: Collector, told: Told) -> Iterator[list[Found]]:
    """Yield the files of the tracks that wait, in batches; note what became of all others.

    ``tracks`` is changed in place: a playlist gives way to its tracks.
    """
    batch: list[Found] = []
    n_fetched, place = 0, 0
    while place < len(tracks):
        track = tracks[place]
        place += 1
        if track.outcome != TrackOutcome.WAITING:
            continue
        try:
            found = collector.collect(track)
        except StemcrateError as error:
            fail(track, error)
        else:
            if isinstance(found, Playlist):
                place -= 1
                tracks[place : place + 1] = _unseen(found, tracks)
            elif found.path is None:
                track.outcome = TrackOutcome.KNOWN
                track.track_id, track.name = found.track_id, found.name
            else:
                batch.append(_enter(track, found, found.path))
                n_fetched += found.track_id is not None
        told()
        if n_fetched >= BATCH:
            yield batch
            batch, n_fetched = [], 0
    if batch:
        yield batch


def add(
    library: Library,
    batch: list[Found],
    *,
    facts: FactStore,
    n_processes: int,
    told: Told,
) -> None:
    """Add the files of a batch to the library, and note what became of each track."""
    report = import_files(
        library,
        [SourceFile(found.path, found.name) for found in batch],
        store=facts,
        n_processes=min(n_processes, len(batch)),
        progress=lambda *_: told(),
    )
    refused = {refusal.path: refusal.error for refusal in report.refused}
    known = library.known_files([str(found.path) for found in batch])
    added = set(report.added)
    for found in batch:
        path, track = str(found.path), found.track
        if path in refused:
            fail(track, refused[path])
        else:
            track.track_id = known[path].track_id
            is_new = track.track_id in added
            track.outcome = TrackOutcome.ADDED if is_new else TrackOutcome.KNOWN
            added.discard(track.track_id)
    told()


def fail(track: IngestedTrack, error: StemcrateError) -> None:
    """Note why nothing became of a track."""
    track.outcome = TrackOutcome.FAILED
    track.error = Failure(
        code=error.code, message=error.message, hint=error.hint, retryable=error.retryable
    )


def _enter(track: IngestedTrack, found: Collected, path: Path) -> Found:
    track.track_id, track.name = found.track_id, found.name
    return Found(track, found.name, path)


def _unseen(playlist: Playlist, tracks: list[IngestedTrack]) -> list[IngestedTrack]:
    """Return the tracks of a playlist that are not in the list: playlists may hold each other."""
    seen = {track.url for track in tracks}
    new = [track for track in playlist.tracks if track.url not in seen]
    room = max(0, MAX_TRACKS - len(tracks))
    return [IngestedTrack(**track.model_dump()) for track in new[:room]]
