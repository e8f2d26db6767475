"""Gain and pan of a lane as a matrix: the formulae of Web Audio, so that a mix sounds as played.

A gain of ``g`` dB multiplies by ``10 ** (g / 20)``. The pan law is that of ``StereoPannerNode`` for
stereo input, with ``p`` from −1 to 1 (Web Audio API 1.1, "StereoPanner algorithm"):

    p ≤ 0    x = p + 1    L' = L + R cos(x π/2)    R' = R sin(x π/2)
    p > 0    x = p        L' = L cos(x π/2)        R' = R + L sin(x π/2)

A pan of 0 changes nothing. A mono lane counts as stereo with two equal channels, as a player gets
it with ``channelCount = 2`` and ``channelCountMode = "explicit"``: at 0 it keeps its level.
"""

from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray


def linear(gain_db: float) -> float:
    """Return a gain in dB as a factor."""
    return float(10 ** (gain_db / 20))


def pan_matrix(pan: float) -> NDArray[np.float64]:
    """Return the matrix ``(2, 2)`` from (left, right) to (left, right) of a pan of −1 to 1.

    Raises ValueError for a pan beyond.
    """
    if not -1 <= pan <= 1:
        raise ValueError(f"pan must be from -1 to 1, got {pan}")
    if pan == 0:
        return np.eye(2)
    if pan < 0:
        angle = (pan + 1) * pi / 2
        return np.array([[1.0, cos(angle)], [0.0, sin(angle)]])
    angle = pan * pi / 2
    return np.array([[cos(angle), 0.0], [sin(angle), 1.0]])
