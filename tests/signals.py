"""Signals that the tests make: short, seeded, with known content."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray


def make_song(
    seconds: float, sample_rate: int, n_channels: int = 2, *, seed: int = 0, level: float = 0.3
) -> NDArray[np.float64]:
    """Chords, a kick on every half second and some noise; shape (n_channels, n_samples)."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    tones = sum(np.sin(2 * np.pi * f * time + rng.uniform(0, 6)) for f in (110, 220, 277.2, 329.6))
    kick = np.sin(2 * np.pi * 60 * time) * np.exp(-12 * (time % 0.5))
    left = 0.2 * tones + kick + 0.05 * rng.standard_normal(len(time))
    right = 0.2 * tones + kick + 0.05 * rng.standard_normal(len(time))
    channels = np.stack([left, right])[:n_channels]
    return level * channels / np.abs(channels).max(initial=1.0)


def write_song(
    path: Path, samples: NDArray[np.floating], sample_rate: int, subtype: str = "PCM_16"
) -> Path:
    """Write samples as WAV."""
    soundfile.write(path, samples.T, sample_rate, subtype=subtype, format="WAV")
    return path
