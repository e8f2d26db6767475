"""Songs for fingerprints: notes that never repeat, from a seed."""

from functools import cache
from pathlib import Path

import numpy as np

from core.audio.writing.encode import Encoder

RATE = 44_100


@cache
def play_notes(seconds: float, *, seed: int, level: float = 0.2) -> np.ndarray:
    """A stream of plucked notes and noise bursts: float32, shape (2, n_samples); read only."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE)
    time = np.arange(round(0.8 * RATE)) / RATE
    sound = np.zeros(n + len(time))
    at = 0.0
    while at < seconds:
        hz = 110 * 2 ** (rng.integers(0, 48) / 12)
        overtones = sum(np.sin(2 * np.pi * hz * k * time) * rng.uniform(0, 1) for k in range(1, 6))
        note = overtones * np.exp(-rng.uniform(2, 9) * time)
        start = round(at * RATE)
        sound[start : start + len(time)] += note
        at += rng.uniform(0.08, 0.35)
    noise = rng.standard_normal(n) * 0.02
    mono = level * (sound[:n] / np.abs(sound).max() + noise)
    song = np.stack([mono, mono]).astype(np.float32)
    song.setflags(write=False)
    return song


def encode(path: Path, samples: np.ndarray, format: str) -> Path:
    with Encoder(path, format=format, bit_depth="16", sample_rate=RATE, n_channels=2) as encoder:
        if format in ("wav", "flac", "alac"):
            encoder.write_codes(np.round(samples * 32767).astype(np.int32))
        else:
            encoder.write(samples)
    return path
