"""From analysed beats to the few tempo segments that DJ programs store.

Conventions: beats and downbeats are times in seconds, ascending, as `core.analysis.beats` gives
them. Programs store a grid as points from which on a constant tempo holds; a steady track is one
point, a live drummer several.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.export.model import GridSegment

TOLERANCE_S = 0.02  # what a beat may lie off the grid: two frames of the beat tracker
_MIN_BEATS = 4  # fewer say little about a tempo


def beats_to_grid(
    beats_s: Sequence[float],
    downbeats_s: Sequence[float] = (),
    *,
    beats_per_bar: int = 4,
    tolerance_s: float = TOLERANCE_S,
) -> tuple[GridSegment, ...]:
    """Lay as few stretches of constant tempo over the beats as the tolerance allows.

    Parameters
    ----------
    beats_s : ascending times in seconds.
    downbeats_s : those of them that start a bar; none means that the first beat does.
    beats_per_bar : numerator of the metre.
    tolerance_s : how far a beat may lie off its segment's least-squares line.

    Returns
    -------
    Segments that start on beats, the second and later ones on downbeats where there is one within
    reach, at 1 … 1000 BPM each. Fewer than two beats give none. A segment whose line would put its
    first beat before 0 s starts with its first beat at or after 0 s.
    """
    times = np.asarray(beats_s, dtype=np.float64)
    times = times[np.isfinite(times)]
    if len(times) < 2 or np.any(np.diff(times) <= 0):
        return ()
    segments: list[GridSegment] = []
    start = 0
    while start < len(times) - 1:
        phase = _beat_in_bar(times[start], times, downbeats_s, beats_per_bar)
        stop = _reach(times, start, tolerance_s)
        if stop < len(times):
            stop = _end_of_bar(start, stop, phase, beats_per_bar)
        segment = _fit(times[start:stop], phase, beats_per_bar)
        if segment is not None:
            segments.append(segment)
        start = stop
    return tuple(segments)


def _reach(times: NDArray[np.float64], start: int, tolerance_s: float) -> int:
    """Find where the longest stretch from ``start`` ends that one tempo explains."""
    good, step = min(start + _MIN_BEATS, len(times)), 8
    while good < len(times) and step:
        stop = min(good + step, len(times))
        if _error(times[start:stop]) <= tolerance_s:
            good, step = stop, step * 2
        else:
            step //= 2
    # A rest that is too short for a tempo of its own stays with the stretch before it.
    return len(times) if len(times) - good < 2 else good


def _end_of_bar(start: int, stop: int, phase: int, beats_per_bar: int) -> int:
    """Go back to the last downbeat before ``stop`` that leaves enough beats for a tempo."""
    back = (stop - start + phase - 1) % beats_per_bar
    return stop - back if stop - back - start >= _MIN_BEATS else stop


def _line(times: NDArray[np.float64]) -> tuple[float, float]:
    """Give slope (seconds a beat) and time of beat 0 of the least-squares line."""
    index = np.arange(len(times)) - (len(times) - 1) / 2
    slope = float(index @ times / (index @ index))
    return slope, float(times.mean() - slope * (len(times) - 1) / 2)


def _error(times: NDArray[np.float64]) -> float:
    slope, first = _line(times)
    return float(np.max(np.abs(first + slope * np.arange(len(times)) - times)))


def _fit(times: NDArray[np.float64], phase: int, beats_per_bar: int) -> GridSegment | None:
    slope, first = _line(times)
    if not 0.06 <= slope <= 60:
        return None
    while first < 0:
        first += slope
        phase = phase % beats_per_bar + 1
    return GridSegment(first, 60 / slope, beats_per_bar, phase)


def _beat_in_bar(
    beat_s: float, beats_s: NDArray[np.float64], downbeats_s: Sequence[float], beats_per_bar: int
) -> int:
    """Count from the nearest downbeat that is known, backwards where it lies ahead."""
    if not len(downbeats_s):
        since = int(np.searchsorted(beats_s, beat_s))
    else:
        downbeats = np.asarray(downbeats_s, dtype=np.float64)
        nearest = downbeats[np.argmin(np.abs(downbeats - beat_s))]
        position = int(np.argmin(np.abs(beats_s - nearest)))
        since = int(np.argmin(np.abs(beats_s - beat_s))) - position
    return since % beats_per_bar + 1
