"""Chord progressions whose key and chords are known, as sums of harmonics."""

from typing import Literal

import numpy as np

RATE = 22050
# Roots above the tonic and whether the chord is minor: I V vi IV I, and i iv V i VI i.
PROGRESSIONS = {
    "major": [(0, False), (7, False), (9, True), (5, False), (0, False)],
    "minor": [(0, True), (5, True), (7, False), (0, True), (8, False), (0, True)],
}


def play(
    tonic: int,
    mode: Literal["major", "minor"],
    *,
    tuning_cents: float = 0.0,
    chord_s: float = 1.0,
) -> np.ndarray:
    """Play the cadence of a key, 0 for C, with a bass: float32 ``(n_samples,)`` at `RATE`."""
    chords = [
        play_chord((tonic + root) % 12, (0, 3 if is_minor else 4, 7), chord_s, tuning_cents)
        for root, is_minor in PROGRESSIONS[mode]
    ]
    return np.concatenate(chords)


def play_chord(
    root: int, intervals: tuple[int, ...], length_s: float, tuning_cents: float = 0.0
) -> np.ndarray:
    """Strike a chord above C3 with its root an octave below: float32 ``(n_samples,)``."""
    time = np.arange(int(length_s * RATE)) / RATE
    envelope = np.minimum(1, 50 * time) * np.exp(-1.5 * time)
    sound = np.zeros(len(time))
    for interval in (-12, *intervals):
        hz = 440 * 2 ** ((48 + root + interval - 69 + tuning_cents / 100) / 12)
        for harmonic in range(1, 6):
            sound += np.sin(2 * np.pi * hz * harmonic * time) / harmonic**1.5
    return (0.05 * sound * envelope).astype(np.float32)
