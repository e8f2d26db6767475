"""What the catalogue tells of tracks and files, a line each."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """A line of the library. None for what is not known; ``paths`` are where its files were."""

    id: str
    title: str
    artist: str | None
    duration_s: float | None
    tempo_bpm: float | None
    camelot: str | None
    energy: float | None
    integrated_loudness_lufs: float | None
    vocal_ratio: float | None
    stems: tuple[str, ...]
    added_s: float
    paths: tuple[str, ...]

    @property
    def is_missing(self) -> bool:
        """Whether none of its files is where it was."""
        return not any(Path(path).is_file() for path in self.paths)


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
