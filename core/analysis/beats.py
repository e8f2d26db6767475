"""Where the beats are, given the tempo.

A recording made to a click has an even grid: a line is fitted through the onsets nearest to its
points, which places the grid far more finely than one frame. Where no even grid meets the onsets
that a tracker finds beat by beat, the tracker's beats stand.

References: Ellis, "Beat tracking by dynamic programming", JNMR 36 (2007).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.onset import OnsetEnvelope, sharpen

_LATENCY_S = 0.0043
"""How much later than the envelope's peak a stroke begins; measured on synthesised clicks."""

_TIGHTNESS = 100.0
_STEADY_SHARE = 0.75
_SNAP_BPM = 0.05
_SNAP_DRIFT_S = 0.025

_Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Beats:
    """Beat times, seconds ascending, with the tempo that they keep."""

    tempo_bpm: float
    beats_s: tuple[float, ...]
    is_steady: bool


def track_beats(onsets: OnsetEnvelope, tempo_bpm: float, duration_s: float) -> Beats:
    """Find the beats of a recording of known tempo.

    Parameters
    ----------
    onsets : its onset envelope.
    tempo_bpm : its tempo, good to about 1 %.
    duration_s : its length; beats lie in ``[0, duration_s)``.

    Returns
    -------
    An even grid, with a tempo finer than the one given, where the recording keeps time; else the
    beats as they come and the tempo of their median interval.
    """
    rate = onsets.frame_rate_hz
    envelope = sharpen(onsets.strength, rate) + sharpen(onsets.low_strength, rate)
    period_s, first_s = _fit_grid(envelope, rate, 60 / tempo_bpm)
    grid_s = np.arange(first_s, len(envelope) / rate, period_s)
    tracked = _follow(envelope, 60 / tempo_bpm * rate)
    on_grid = strength_at(envelope, np.rint(grid_s * rate).astype(np.intp)).mean()
    if len(tracked) < 3 or on_grid >= _STEADY_SHARE * strength_at(envelope, tracked).mean():
        period_s, first_s = _snap(envelope, rate, period_s, first_s, duration_s)
        return Beats(60 / period_s, _lay_grid(period_s, first_s + _LATENCY_S, duration_s), True)
    times = _peak_times(envelope, tracked, 2) / rate + _LATENCY_S
    times = times[(times >= 0) & (times < duration_s)]
    median_s = float(np.median(np.diff(times)))
    return Beats(60 / median_s, tuple(float(time) for time in times), False)


def _fit_grid(envelope: _Curve, rate: float, period_s: float) -> tuple[float, float]:
    """Fit period and first beat, in seconds, to the onsets nearest to the grid's points."""
    first_s = _find_phase(envelope, rate, period_s)
    reach_s = period_s / 6
    for _ in range(4):
        grid_s = np.arange(first_s, len(envelope) / rate, period_s)
        frames = np.clip(np.rint(grid_s * rate).astype(np.intp), 0, len(envelope) - 1)
        times = _peak_times(envelope, frames, max(1, round(reach_s * rate))) / rate
        weights = strength_at(envelope, np.rint(times * rate).astype(np.intp))
        weights *= np.abs(times - grid_s) <= reach_s
        if np.count_nonzero(weights) < 3:
            break
        period_s, first_s = _fit_line(times, np.sqrt(weights), period_s, first_s)
        reach_s = max(0.025, reach_s / 2)
    return period_s, first_s % period_s


def _fit_line(
    times: _Curve, weights: _Curve, period_s: float, first_s: float
) -> tuple[float, float]:
    index = np.arange(len(times))
    slope, offset = np.polyfit(index, times, 1, w=weights)
    if abs(slope / period_s - 1) > 0.01:
        return period_s, first_s
    return float(slope), float(offset)


def _find_phase(envelope: _Curve, rate: float, period_s: float) -> float:
    """Give the first beat, in seconds, of the grid of this period that meets the most onsets."""
    n_bins = max(8, round(period_s * rate))
    positions = np.arange(len(envelope)) / rate % period_s / period_s * n_bins
    bins = positions.astype(np.intp) % n_bins
    folded = np.bincount(bins, envelope, n_bins) / np.maximum(
        1, np.bincount(bins, minlength=n_bins)
    )
    smooth = folded + 0.5 * (np.roll(folded, 1) + np.roll(folded, -1))
    return float((smooth.argmax() + 0.5) / n_bins * period_s)


def _snap(
    envelope: _Curve, rate: float, period_s: float, first_s: float, duration_s: float
) -> tuple[float, float]:
    """Take the whole BPM where it is so near that the grid stays within 25 ms to the end."""
    tempo_bpm = 60 / period_s
    whole = round(tempo_bpm)
    drift_s = duration_s * abs(whole - tempo_bpm) / tempo_bpm
    if abs(whole - tempo_bpm) > _SNAP_BPM or drift_s > _SNAP_DRIFT_S:
        return period_s, first_s
    # Turn the grid about its middle, where the fit places it best.
    middle = round((duration_s / 2 - first_s) / period_s)
    return 60 / whole, (first_s + middle * (period_s - 60 / whole)) % (60 / whole)


def _lay_grid(period_s: float, first_s: float, duration_s: float) -> tuple[float, ...]:
    first_s %= period_s
    times = [float(time) for time in np.arange(first_s, duration_s, period_s)]
    # A beat on the very first sample must not get lost by a rounding below zero.
    return (0.0, *times) if first_s > period_s - 0.02 else tuple(times)


def _follow(envelope: _Curve, period: float) -> NDArray[np.intp]:
    """Find the frames of beats about ``period`` frames apart that meet the most onsets."""
    nearest, farthest = max(1, round(period / 2)), max(2, round(2 * period))
    steps = np.arange(farthest, nearest - 1, -1)
    costs = -_TIGHTNESS * np.log(steps / period) ** 2
    local = envelope / (envelope.std() + 1e-12)
    total = np.concatenate([np.full(farthest, 0.0), local])
    before = np.full(len(envelope), -1, dtype=np.intp)
    for frame in range(len(envelope)):
        scores = total[frame : frame + len(steps)] + costs
        best = int(scores.argmax())
        if scores[best] > 0 and frame - steps[best] >= 0:
            total[frame + farthest] += scores[best]
            before[frame] = frame - steps[best]
    ends = total[farthest:]
    frame = len(ends) - farthest + int(ends[-farthest:].argmax()) if len(ends) > farthest else -1
    beats: list[int] = []
    while frame >= 0:
        beats.append(frame)
        frame = int(before[frame])
    return np.array(beats[::-1], dtype=np.intp)


def strength_at(envelope: _Curve, frames: NDArray[np.intp]) -> _Curve:
    """Give the envelope's maximum within two frames of each frame."""
    around = np.clip(frames[:, None] + np.arange(-2, 3), 0, len(envelope) - 1)
    strongest: _Curve = envelope[around].max(axis=1)
    return strongest


def _peak_times(envelope: _Curve, frames: NDArray[np.intp], reach: int) -> _Curve:
    """Give the frame, with fraction, of the largest peak within ``reach`` of each frame."""
    last = len(envelope) - 1
    around = np.clip(frames[:, None] + np.arange(-reach, reach + 1), 0, last)
    peaks = around[np.arange(len(frames)), envelope[around].argmax(axis=1)]
    left, middle, right = (envelope[np.clip(peaks + d, 0, last)] for d in (-1, 0, 1))
    curvature = left - 2 * middle + right
    shift = np.where(curvature < 0, 0.5 * (left - right) / np.minimum(curvature, -1e-12), 0.0)
    refined: _Curve = peaks + np.clip(shift, -0.5, 0.5)
    return refined
