"""Bar lines from downbeats."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]


def heard_downbeats(downbeats_s: Sequence[float], audible_s: tuple[float, float]) -> list[float]:
    """Return the downbeats that can be heard; the first may begin an eighth of a bar early."""
    bar_s = float(np.median(np.diff(downbeats_s))) if len(downbeats_s) > 1 else 0.0
    return [t for t in downbeats_s if audible_s[0] - bar_s / 8 <= t < audible_s[1]]


def bar_edges(downbeats_s: Sequence[float], duration_s: float) -> _Array:
    """Return the bar lines: the downbeats, and the end of the last bar or of the recording.

    Fewer than two downbeats give shape ``(0,)``.
    """
    if len(downbeats_s) < 2:
        return np.zeros(0)
    downbeats = np.asarray(downbeats_s, dtype=np.float64)
    bar_s = float(np.median(np.diff(downbeats)))
    end_s = min(duration_s, downbeats[-1] + bar_s)
    # A truncated last bar belongs to the bar before it.
    if end_s - downbeats[-1] < bar_s / 2:
        return np.append(downbeats[:-1], end_s) if len(downbeats) > 2 else downbeats
    return np.append(downbeats, end_s)
