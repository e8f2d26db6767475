"""Recordings as `stemcrate.local` takes them: paths of files, or samples with their rate."""

from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import BLOCK_SIZE, Samples, validate_block
from stemcrate.schemas.facts import TrackFacts

FilePath = str | PathLike[str]
Recording = FilePath | tuple[NDArray[np.float32], int]
"""The path of a file, or float32 ``(n_channels, n_samples)`` with the sample rate in Hz."""
Tracks = Mapping[str, TrackFacts] | Mapping[Path, TrackFacts]
"""Facts by the path of the file."""


def read_recording(recording: Recording) -> tuple[Samples, int]:
    """Return the samples, float32 ``(n_channels, n_samples)``, and their rate in Hz.

    Raises
    ------
    InvalidAudio : the file is empty, damaged, or is not audio.
    ValueError, TypeError : the array is not what `Recording` says, or is not finite.
    """
    if not isinstance(recording, tuple):
        return _decode(Path(recording))
    samples, sample_rate = recording
    validate_block(samples, n_channels=samples.shape[0])
    if samples.shape[0] not in (1, 2):
        raise ValueError(f"a recording has one or two channels, got {samples.shape[0]}")
    if sample_rate < 1:
        raise ValueError(f"the sample rate must be positive, got {sample_rate}")
    if not np.isfinite(samples).all():
        raise ValueError("the recording has samples that are not finite")
    return samples, sample_rate


def _decode(path: Path) -> tuple[Samples, int]:
    from core.audio.reading.decode import read_through

    def take(sample_rate: int, n_channels: int, blocks: Iterator[Samples]) -> tuple[Samples, int]:
        empty = np.zeros((n_channels, 0), dtype=np.float32)
        return np.concatenate([empty, *blocks], axis=1), sample_rate

    _, decoded = read_through(path, take)
    return decoded


def split_blocks(samples: Samples) -> Iterator[Samples]:
    """Yield adjoining blocks of `BLOCK_SIZE` samples, the last one shorter."""
    for start in range(0, samples.shape[1], BLOCK_SIZE):
        yield samples[:, start : start + BLOCK_SIZE]
