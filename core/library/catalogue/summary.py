"""Summaries of tracks and files."""

from dataclasses import dataclass

from stemcrate.schemas.library import TrackLine


class TrackSummary(TrackLine):
    """Summary of a track, with the last known paths of its files."""

    paths: list[str]


@dataclass(frozen=True, slots=True)
class TrackPage:
    """Tracks of a search; ``next_cursor`` is None on the last page."""

    tracks: tuple[TrackSummary, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A known file: its track, and its size and time when it was hashed."""

    track_id: str
    n_bytes: int
    modified_ns: int
