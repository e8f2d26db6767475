"""Clicks at known times, and where they are heard."""

import numpy as np
from numpy.typing import NDArray

from tests.rendered import RATE

Samples = NDArray[np.floating]


def clicks(times_s: Samples, n_seconds: float) -> Samples:
    """Short bursts at these times."""
    samples = np.zeros((2, round(n_seconds * RATE)), dtype=np.float32)
    burst = np.exp(-np.arange(200) / 40) * np.sin(2 * np.pi * 2000 * np.arange(200) / RATE)
    for time_s in times_s:
        start = round(time_s * RATE)
        samples[:, start : start + 200] += 0.5 * burst
    return samples


def onsets_s(samples: Samples, near_s: Samples, reach_s: float = 0.05) -> Samples:
    """Where the bursts near these times are: the centre of the energy around each."""
    found = []
    for time_s in near_s:
        start = round((time_s - reach_s) * RATE)
        window = samples[0, start : round((time_s + reach_s) * RATE)].astype(np.float64)
        energy = np.cumsum(window**2)
        half = np.searchsorted(energy, energy[-1] / 2)
        found.append((start + half) / RATE)
    return np.array(found)


CLICK_CENTRE_S = onsets_s(clicks(np.array([1.0]), 2.0), np.array([1.0]))[0] - 1.0
"""The centre of a click after its time."""
