"""The lanes of a track: what can be heard, where its samples are, and how they are sent.

The segments of a lane are FLAC, which every browser decodes, with as many bits as the file has: 16
for 16 bits, 24 for all else. FLAC ends at full scale, but float files and decoded lossy files do
not: those are sent divided by a power of two, and the player multiplies. Even 12 dB lower, the
rounding to 24 bits lies at -132 dBFS.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.library.records.record import FileReference

Access = Literal["seek", "packets", "whole"]

SEGMENT_FRAMES = 1 << 17
"""Frames of a segment: 3 s at 44.1 kHz, about 450 kB in 24 bits."""


@dataclass(frozen=True, slots=True)
class LanePart:
    """A file whose samples, times ``factor``, are part of a lane.

    ``access`` is how a range is read: ``seek`` by libsndfile, ``packets`` from the MP4 packet that
    holds it, ``whole`` from the first sample of the file on. ``file`` is what the library
    has on record of its file, which is read only while it is unchanged.
    """

    path: Path
    name: str
    access: Access
    factor: float = 1.0
    file: FileReference | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane: ``parts`` added up.

    Parameters
    ----------
    key : names the content of its segments and pictures.
    gain_db : what its file has been changed by; the original has none.
    scale : what samples are divided by for FLAC.
    same_as : label of another lane with the same file.
    download_name : name of the artefact that it plays; None for the original.
    """

    label: str
    role: str
    name: str
    key: str
    parts: tuple[LanePart, ...]
    gain_db: float = 0.0
    source: Literal["file", "stems"] = "file"
    bit_depth: Literal[16, 24] = 24
    scale: float = 1.0
    is_percussive: bool = False
    same_as: str | None = None
    download_name: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether its files can only be decoded from the first sample on."""
        return any(part.access == "whole" for part in self.parts)


def segment_name(number: int) -> str:
    """Return the file name of a segment."""
    return f"{number}.flac"


@dataclass(frozen=True, slots=True)
class TrackLanes:
    """The lanes of one track on their common axis of ``n_frames`` frames.

    ``owner`` is the id of a job, of which it is track ``index``, or of a track of the library.
    """

    owner: str
    index: int
    sample_rate: int
    n_channels: int
    n_frames: int
    lanes: tuple[Lane, ...]

    @property
    def n_segments(self) -> int:
        """Number of segments of each lane."""
        return -(-self.n_frames // SEGMENT_FRAMES)

    def segment(self, number: int) -> tuple[int, int]:
        """Return the first frame of a segment and the frame after its last."""
        start = number * SEGMENT_FRAMES
        return start, min(start + SEGMENT_FRAMES, self.n_frames)
