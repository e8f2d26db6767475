"""What the catalogue tells of tracks and files, a line each."""

from dataclasses import dataclass

from stemcrate.schemas.library import TrackLine


class TrackSummary(TrackLine):
    """A line of the library, and where the track's files were when they were last seen."""

    paths: list[str]


@dataclass(frozen=True, slots=True)
class TrackPage:
    """Tracks of a search; ``next_cursor`` is None on the last page."""

    tracks: tuple[TrackSummary, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the catalogue knows of a file: its track, and what it was like when it was hashed."""

    track_id: str
    n_bytes: int
    modified_ns: int
