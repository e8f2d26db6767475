"""Summaries of tracks and files."""

from dataclasses import dataclass

from stemcrate.schemas.library import TrackLine


class TrackSummary(TrackLine):
    """Summary of a track, with the last known paths of its files."""

    paths: list[str]


@dataclass(frozen=True, slots=True)
class TrackPage:
    """Tracks of a search.

    Parameters
    ----------
    next_cursor : None on the last page.
    total : number of tracks on all pages; None if a cursor led here.
    """

    tracks: tuple[TrackSummary, ...]
    next_cursor: str | None
    total: int | None


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A known file: its track, and its size and time when it was hashed."""

    track_id: str
    n_bytes: int
    modified_ns: int
