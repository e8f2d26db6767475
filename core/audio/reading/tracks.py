"""All audio tracks of a file that has several: NI Stem files, multitrack MP4 and Matroska."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.audio.buffer import Samples
from core.audio.reading.decode_pyav import PyavSource, SoundFile, open_container


@dataclass(frozen=True, slots=True)
class Track:
    """One track: float32 ``(n_channels, n_samples)``, nominal range ±1, and its rate in Hz."""

    samples: Samples
    sample_rate: int


def decode_tracks(path: Path) -> list[Track]:
    """Decode every audio track into memory, in the file's order.

    NI Stem files hold the mixture, then drums, bass, other, vocals; the mixture is mastered, so the
    stems do not sum to it.

    Raises
    ------
    NotAudio : FFmpeg doesn't recognise the content, or it holds no audio track.
    CorruptAudio : a track cannot be decoded to its end.
    """
    with SoundFile(path) as file, open_container(file, path.name) as container:
        n_tracks = max(1, len(container.streams.audio))
    return [_decode(path, index) for index in range(n_tracks)]


def _decode(path: Path, index: int) -> Track:
    source = PyavSource(path, name=path.name, index=index)
    try:
        blocks = list(source.blocks())
        empty = np.zeros((source.format.n_channels, 0), dtype=np.float32)
        return Track(np.concatenate([empty, *blocks], axis=1), source.format.sample_rate)
    finally:
        source.close()
