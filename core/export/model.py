"""The crate: tracks, playlists and folders as every exporter reads them.

Library, pipeline and planner build a `Crate`; each export format is a pure function from it
to bytes, so that no exporter knows a database, a job or a disk.

Conventions: times are seconds from the first sample that the decoders of `core.audio` give (the
delay of MP3 and AAC encoders removed); programs that count otherwise are served by
`core.export.mp3_offset`. A path is either relative to the folder of the export, POSIX, or absolute
in the notation of the file's system. An unknown tempo, key or loudness is
None and is omitted, never written as 0.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

from core.analysis.harmony.camelot import key_to_camelot, key_to_open_key, key_to_short
from core.audio.metering.replaygain import REPLAYGAIN_REFERENCE_LUFS
from core.audio.tagging.tags import Cover
from stemcrate.schemas.facts import N_HOT_CUES

KeyNotation = Literal["short", "camelot", "open_key"]


class FileKind(StrEnum):
    """Container and codec of a track's file."""

    MP3 = "mp3"
    WAV = "wav"
    AIFF = "aiff"
    FLAC = "flac"
    M4A = "m4a"
    ALAC = "alac"
    OGG = "ogg"
    OPUS = "opus"
    OTHER = "other"


class Colour(NamedTuple):
    """Red, green and blue, 0 … 255 each."""

    red: int
    green: int
    blue: int


HOT_CUE_COLOURS = (
    Colour(204, 0, 0),
    Colour(204, 136, 0),
    Colour(204, 204, 0),
    Colour(0, 204, 0),
    Colour(0, 204, 204),
    Colour(0, 0, 204),
    Colour(136, 0, 204),
    Colour(204, 0, 204),
)
"""What a cue without a colour of its own gets, by its pad."""


@dataclass(frozen=True, slots=True)
class GridMarker:
    """A grid marker: constant tempo from here to the next marker or the end.

    Parameters
    ----------
    start_s : time of the stretch's first beat.
    tempo_bpm : beats a minute, positive.
    beats_per_bar : numerator of the metre.
    beat_in_bar : which beat of its bar the first one is, from 1.
    """

    start_s: float
    tempo_bpm: float
    beats_per_bar: int = 4
    beat_in_bar: int = 1

    def __post_init__(self) -> None:
        """Validate the marker. Raises ValueError."""
        if not (math.isfinite(self.start_s) and 1 <= self.tempo_bpm <= 1000):
            raise ValueError(f"no beat grid from {self.start_s} s at {self.tempo_bpm} BPM")
        if not 1 <= self.beat_in_bar <= self.beats_per_bar <= 16:
            raise ValueError(f"no beat {self.beat_in_bar} in a bar of {self.beats_per_bar}")

    @property
    def downbeat_s(self) -> float:
        """A downbeat next to the start: the one before it unless that is below 0 s.

        Programs without a field for ``beat_in_bar`` take the first beat of a grid as a downbeat.
        """
        beat_s = 60 / self.tempo_bpm
        before_s = self.start_s - (self.beat_in_bar - 1) * beat_s
        return before_s if before_s >= 0 else before_s + self.beats_per_bar * beat_s


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue point, or a loop where ``end_s`` is set; a hot cue where ``pad`` is set (0 … 7)."""

    start_s: float
    name: str = ""
    pad: int | None = None
    colour: Colour | None = None
    end_s: float | None = None

    def __post_init__(self) -> None:
        """Validate the cue. Raises ValueError."""
        if not (math.isfinite(self.start_s) and self.start_s >= 0):
            raise ValueError(f"no cue at {self.start_s} s")
        if self.end_s is not None and not self.end_s > self.start_s:
            raise ValueError(f"no loop from {self.start_s} s to {self.end_s} s")
        if self.pad is not None and not 0 <= self.pad < N_HOT_CUES:
            raise ValueError(f"no pad {self.pad}")

    @property
    def shown_colour(self) -> Colour:
        """The cue's colour, else the one of its pad; a memory cue's is the first pad's."""
        return self.colour or HOT_CUE_COLOURS[self.pad or 0]


@dataclass(frozen=True, slots=True)
class CrateTrack:
    """One recording with what is known of it.

    Parameters
    ----------
    id : unique in the crate; the SHA-256 of the file in a library.
    path : the file's path, see the module's conventions.
    file : its container and codec.
    key : in the spelling of `core.analysis.harmony.camelot.KEYS`, or None.
    energy : 1 … 10.
    rating : 0 … 5 stars.
    grid : segments in ascending order of time.
    cues : hot cues, memory cues and loops.
    vocals_s : stretches with a voice, start and end.
    added : day of import, ``2026-11-21``.
    is_missing : the file is no longer at its known path; exported with a warning.
    """

    id: str
    path: str
    file: FileKind
    title: str
    duration_s: float
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    year: int | None = None
    isrc: str | None = None
    comment: str | None = None
    label: str | None = None
    track_number: int | None = None
    sample_rate: int = 44_100
    n_channels: int = 2
    bit_rate: int | None = None  # bit/s
    bit_depth: int | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    added: str | None = None
    tempo_bpm: float | None = None
    key: str | None = None
    energy: int | None = None
    rating: int | None = None
    grid: tuple[GridMarker, ...] = ()
    cues: tuple[Cue, ...] = ()
    integrated_loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None
    vocals_s: tuple[tuple[float, float], ...] = ()
    cover: Cover | None = field(default=None, repr=False)
    is_missing: bool = False

    def __post_init__(self) -> None:
        """Validate keys, numbers and the grid's order. Raises ValueError."""
        for value in (self.duration_s, self.tempo_bpm or 0.0):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"'{self.title}' cannot have a duration or tempo of {value}")
        if self.key is not None:
            key_to_camelot(self.key)
        starts = [segment.start_s for segment in self.grid]
        if sorted(set(starts)) != starts:
            raise ValueError(f"the grid of '{self.title}' is not in ascending order")

    @property
    def camelot(self) -> str | None:
        """Camelot code of the key."""
        return key_to_camelot(self.key) if self.key else None

    @property
    def open_key(self) -> str | None:
        """Open Key code of the key."""
        return key_to_open_key(self.key) if self.key else None

    def key_text(self, notation: KeyNotation) -> str | None:
        """Return the key as ``Am``, ``8A`` or ``1m``; None if unknown."""
        if self.key is None:
            return None
        if notation == "camelot":
            return self.camelot
        return self.open_key if notation == "open_key" else key_to_short(self.key)

    @property
    def label_text(self) -> str:
        """``Artist - Title``, or the title alone."""
        return f"{self.artist} - {self.title}" if self.artist else self.title

    @property
    def replaygain_db(self) -> float | None:
        """Gain to ReplayGain 2.0's reference loudness, in dB."""
        loudness = self.integrated_loudness_lufs
        if loudness is None or not math.isfinite(loudness):
            return None
        return REPLAYGAIN_REFERENCE_LUFS - loudness


@dataclass(frozen=True, slots=True)
class CratePlaylist:
    """A named order of tracks, by their ids; a track may come more than once."""

    name: str
    track_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CrateFolder:
    """A named folder of playlists and folders."""

    name: str
    playlists: tuple[CratePlaylist, ...] = ()
    folders: tuple["CrateFolder", ...] = ()


@dataclass(frozen=True, slots=True)
class Crate:
    """Everything to export: all tracks, and the playlists that list them.

    Raises
    ------
    ValueError : two tracks share an id, or a playlist names an unknown track.
    """

    name: str
    tracks: tuple[CrateTrack, ...]
    playlists: tuple[CratePlaylist, ...] = ()
    folders: tuple[CrateFolder, ...] = ()

    def __post_init__(self) -> None:
        """Check that ids are unique and known."""
        ids = {track.id for track in self.tracks}
        if len(ids) != len(self.tracks):
            raise ValueError("two tracks of the crate share an id")
        for _, playlist in self.walk():
            unknown = next((id for id in playlist.track_ids if id not in ids), None)
            if unknown is not None:
                raise ValueError(f"'{playlist.name}' names the unknown track {unknown!r}")

    def walk(self) -> Iterator[tuple[tuple[str, ...], CratePlaylist]]:
        """Yield every playlist with the names of its folders."""
        yield from _walk((), self.playlists, self.folders)

    def in_order(self, playlist: CratePlaylist) -> tuple[CrateTrack, ...]:
        """Return the tracks of a playlist in order."""
        by_id = {track.id: track for track in self.tracks}
        return tuple(by_id[id] for id in playlist.track_ids)


def _walk(
    above: tuple[str, ...],
    playlists: tuple[CratePlaylist, ...],
    folders: tuple[CrateFolder, ...],
) -> Iterator[tuple[tuple[str, ...], CratePlaylist]]:
    for playlist in playlists:
        yield above, playlist
    for folder in folders:
        yield from _walk((*above, folder.name), folder.playlists, folder.folders)
