"""Beats of a recording: an even grid, or beats tracked one by one.

Data flow: tempo level → exact tempo (one long Fourier transform) → is the phase of the beat
steady, throughout or in stretches (`core.analysis.rhythm.stretches`)? → position in beats of every
frame: even, or interpolated between tracked beats → phase (`core.analysis.rhythm.phase`) →
least-squares line through the onsets nearest to the even grid, which places it to a fraction of a
frame.

References: Ellis, "Beat tracking by dynamic programming", JNMR 36 (2007).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import zoom_fft

from core.analysis.peaks import parabolic_shift
from core.analysis.rhythm.onset import OnsetBands
from core.analysis.viterbi import likeliest_path

SNAP_DRIFT_S = 0.0125
"""Largest drift of a grid by rounding its tempo, in seconds: that of 0.02 BPM over a minute, within
which 95 % of the fits lie."""

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GridRules:
    """How beats are placed to a fraction of a frame.

    Parameters
    ----------
    search : the exact tempo is searched within this share of the rough one on either side;
        candidates lie on a grid of 0.4 %.
    harmonics : harmonics of the beat that are added up, with their weights: beat, half beat,
        quarter beat.
    points_per_turn : points of the search in the width of one bin of the whole recording's
        spectrum.
    max_points : points of the search at most, which bounds the time of long recordings.
    window_s : length in seconds of the windows whose autocorrelation rates local periods.
    octaves : how far local periods may lie from the recording's, in octaves either way.
    n_periods : number of these periods, evenly spaced in octaves (0.02 apart).
    move_cost : cost of one step of period from window to window, as autocorrelation; it grows with
        the square.
    tightness : cost of the squared logarithm of an interval's ratio to the local period, in
        standard deviations of the envelope (Ellis).
    snap_bpm : distance up to which a tempo is taken for the nearest whole one, in BPM.
    snap_half_bpm : the same for the nearest half one.
    early_s : how far before 0 s, in seconds, a stroke on the first sample may be heard.
    fit_reach : onsets within one n-th of a beat of the grid enter the first fit.
    least_reach_s : smallest such reach in seconds: each fit halves the last one's.
    max_fits : least-squares fits at most.
    most_change : relative change of the period by a fit from which it is not trusted.
    held_beats : mean length of stretches, in beats, from which bars hold as surely as they can; in
        free playing a stretch lasts for 3 to 10 beats.

    The reasons for `snap_bpm` and `snap_half_bpm` are in `SNAP_DRIFT_S`. bench.analysis scores the
    grids that all of these give together (beat F and tempi within 0.05 BPM, docs/benchmarks.md); no
    benchmark of single values is recorded.
    """

    search: float = 0.035
    harmonics: tuple[tuple[int, float], ...] = ((1, 1.0), (2, 0.7), (4, 0.5))
    points_per_turn: int = 32
    max_points: int = 20_000
    window_s: float = 8.0
    octaves: float = 0.34
    n_periods: int = 35
    move_cost: float = 0.01
    tightness: float = 100.0
    snap_bpm: float = 0.05
    snap_half_bpm: float = 0.02
    early_s: float = 0.01
    fit_reach: int = 6
    least_reach_s: float = 0.025
    max_fits: int = 4
    most_change: float = 0.01
    held_beats: int = 32


RULES = GridRules()
_LOCAL_STEPS = np.exp2(np.linspace(-RULES.octaves, RULES.octaves, RULES.n_periods))


@dataclass(frozen=True, slots=True)
class GridLine:
    """Beats of one constant tempo.

    Parameters
    ----------
    start_s : time of the first beat.
    tempo_bpm : tempo in beats per minute.
    n_beats : number of beats, at least 1.
    first_beat_in_bar : position of the first beat in its bar, from 1.
    """

    start_s: float
    tempo_bpm: float
    n_beats: int
    first_beat_in_bar: int


def beat_envelope(onsets: OnsetBands) -> _Array:
    """Return the envelope for tracking beats: all bands plus the low bands once more."""
    envelope: _Array = (onsets.strength[0] + onsets.strength[1]).astype(np.float64)
    return envelope


def refine_tempo(envelope: _Array, frame_rate_hz: float, tempo_bpm: float) -> float:
    """Find the tempo with the largest sum of the magnitudes at `GridRules.harmonics`."""
    duration_s = len(envelope) / frame_rate_hz
    n_points = int(
        np.clip(
            RULES.points_per_turn * tempo_bpm / 60 * 2 * RULES.search * duration_s,
            2 * RULES.points_per_turn,
            RULES.max_points,
        )
    )
    centred = envelope - envelope.mean()
    total = np.zeros(n_points)
    for harmonic, weight in RULES.harmonics:
        middle_hz = harmonic * tempo_bpm / 60
        band = (
            middle_hz * (1 - RULES.search),
            min(middle_hz * (1 + RULES.search), frame_rate_hz / 2),
        )
        total += weight * np.abs(zoom_fft(centred, band, n_points, fs=frame_rate_hz, endpoint=True))
    return float(
        tempo_bpm * np.linspace(1 - RULES.search, 1 + RULES.search, n_points)[total.argmax()]
    )


def follow_beats(envelope: _Array, frame_rate_hz: float, tempo_bpm: float) -> _Array:
    """Track beats one by one near a tempo that varies; fractional frames, ascending."""
    periods = _local_periods(envelope, 60 / tempo_bpm * frame_rate_hz, frame_rate_hz)
    frames = _follow(envelope, periods)
    return peak_frames(envelope, frames, 2)


def _local_periods(envelope: _Array, period: float, frame_rate_hz: float) -> _Array:
    """Return the period in frames at every frame, within `GridRules.octaves` of the one given.

    The autocorrelation of windows of 8 s scores the periods; a Viterbi path through them favours
    small changes.
    """
    size = min(len(envelope), round(RULES.window_s * frame_rate_hz))
    starts = np.arange(0, len(envelope) - size + 1, max(1, size // 4))
    lags = np.outer((1, 2), period * _LOCAL_STEPS)
    rows = np.empty((len(starts), len(_LOCAL_STEPS)))
    for row, start in enumerate(starts):
        part = envelope[start : start + size] - envelope[start : start + size].mean()
        products = np.fft.irfft(np.abs(np.fft.rfft(part, 2 * size)) ** 2)[:size]
        products = products / max(products[0], 1e-12)
        rows[row] = np.interp(lags, np.arange(size), products, right=0).sum(axis=0)
    steps = np.arange(len(_LOCAL_STEPS))
    moving: _Array = -RULES.move_cost * np.square(steps[:, None] - steps, dtype=np.float64)
    best = likeliest_path(rows, moving)
    middles = starts + size / 2
    smooth: _Array = np.interp(np.arange(len(envelope)), middles, period * _LOCAL_STEPS[best])
    return smooth


def _follow(envelope: _Array, periods: _Array) -> NDArray[np.intp]:
    """Find the beats, as frames about one local period apart, with the largest sum of onsets."""
    nearest, farthest = max(1, round(periods.min() / 2)), max(2, round(2 * periods.max()))
    steps = np.arange(farthest, nearest - 1, -1)
    log_steps, log_periods = np.log(steps), np.log(periods)
    local = envelope / (envelope.std() + 1e-12)
    total = np.concatenate([np.full(farthest, 0.0), local])
    earlier = np.lib.stride_tricks.sliding_window_view(total, len(steps))
    before = np.full(len(envelope), -1, dtype=np.intp)
    # Beats are at least `nearest` frames apart: as many frames depend on earlier ones alone.
    for first in range(0, len(envelope), nearest):
        frames = np.arange(first, min(first + nearest, len(envelope)))
        costs = RULES.tightness * (log_steps - log_periods[frames, None]) ** 2
        scores = earlier[frames] - costs
        best = scores.argmax(axis=1)
        reward = scores[np.arange(len(frames)), best]
        is_linked = (reward > 0) & (frames >= steps[best])
        total[frames + farthest] += np.where(is_linked, reward, 0.0)
        before[frames] = np.where(is_linked, frames - steps[best], -1)
    last = max(0, len(envelope) - farthest)
    frame = last + int(total[farthest + last :].argmax())
    beats: list[int] = []
    while frame >= 0:
        beats.append(frame)
        frame = int(before[frame])
    return np.array(beats[::-1], dtype=np.intp)


def fit_line(
    envelope: _Array, frame_rate_hz: float, period_s: float, first_s: float
) -> tuple[float, float]:
    """Fit period and first beat, in seconds, to the onsets nearest to an even grid."""
    reach_s = period_s / RULES.fit_reach
    for _ in range(RULES.max_fits):
        grid_s = np.arange(first_s, len(envelope) / frame_rate_hz, period_s)
        frames = np.clip(np.rint(grid_s * frame_rate_hz).astype(np.intp), 0, len(envelope) - 1)
        reach = max(1, round(reach_s * frame_rate_hz))
        times = peak_frames(envelope, frames, reach) / frame_rate_hz
        weights = strength_at(envelope, np.rint(times * frame_rate_hz).astype(np.intp))
        weights *= np.abs(times - grid_s) <= reach_s
        if np.count_nonzero(weights) < 3:
            break
        slope, offset = np.polyfit(np.arange(len(times)), times, 1, w=np.sqrt(weights))
        if abs(slope / period_s - 1) > RULES.most_change:
            break
        period_s, first_s = float(slope), float(offset)
        reach_s = max(RULES.least_reach_s, reach_s / 2)
    return period_s, first_s % period_s


def snap_tempo(period_s: float, first_s: float, duration_s: float) -> tuple[float, float]:
    """Round to a whole or half BPM if the grid then drifts by at most 12.5 ms.

    The grid turns about its middle, where a fit is most accurate.
    """
    tempo_bpm = 60 / period_s
    for near, reach in (
        (round(tempo_bpm), RULES.snap_bpm),
        (round(2 * tempo_bpm) / 2, RULES.snap_half_bpm),
    ):
        drift_s = duration_s * abs(near - tempo_bpm) / tempo_bpm
        if abs(near - tempo_bpm) <= reach and drift_s <= SNAP_DRIFT_S:
            middle = round((duration_s / 2 - first_s) / period_s)
            return 60 / near, (first_s + middle * (period_s - 60 / near)) % (60 / near)
    return period_s, first_s


def lay_even(period_s: float, first_s: float, duration_s: float) -> _Array:
    """Return the beats of an even grid in ``[0, duration_s)``.

    An onset on the first sample may be measured up to 10 ms too early; it is moved to 0.
    """
    first_s %= period_s
    if first_s > period_s - RULES.early_s:
        first_s -= period_s
    beats_s: _Array = np.maximum(0, np.arange(first_s, duration_s, period_s))
    return beats_s


def lay_segments(
    beats_s: _Array, first_downbeat: int, beats_per_bar: int, *, tolerance_s: float = 0.02
) -> tuple[GridLine, ...]:
    """Cover beats with as few lines of constant tempo as the tolerance allows.

    Parameters
    ----------
    beats_s : ascending times in seconds, at least 2.
    first_downbeat : index of a downbeat.
    beats_per_bar : beats from one downbeat to the next.
    tolerance_s : largest distance of a beat from its least-squares line.
    """
    segments: list[GridLine] = []
    start = 0
    while start < len(beats_s):
        stop, slope, offset = _reach(beats_s, start, tolerance_s)
        segments.append(
            GridLine(
                start_s=max(0.0, offset),
                tempo_bpm=60 / slope,
                n_beats=stop - start,
                first_beat_in_bar=(start - first_downbeat) % beats_per_bar + 1,
            )
        )
        start = stop
    return tuple(segments)


def rate_hold(tempo_confidence: float, stretch_beats: Sequence[int]) -> float:
    """Return the reliability of beats and bars, 0 to 1.

    It is the confidence of the tempo, or higher where the tempo changes between long stretches. In
    free playing a stretch lasts for 3 to 10 beats.

    Parameters
    ----------
    tempo_confidence : of the whole recording.
    stretch_beats : number of beats of each `GridLine`.
    """
    if len(stretch_beats) < 2:
        return tempo_confidence
    mean_beats = sum(stretch_beats) / len(stretch_beats)
    return max(tempo_confidence, min(1.0, mean_beats / RULES.held_beats))


def _reach(beats_s: _Array, start: int, tolerance_s: float) -> tuple[int, float, float]:
    """Find the end of the longest line from a beat: (stop, period, first beat)."""
    if start == len(beats_s) - 1:
        return len(beats_s), float(beats_s[-1] - beats_s[-2]), float(beats_s[-1])
    stop, grown = start + 2, 64
    found = float(beats_s[start + 1] - beats_s[start]), float(beats_s[start])
    while grown and stop < len(beats_s):
        end = min(stop + grown, len(beats_s))
        slope, offset, error_s = _fit_beats(beats_s[start:end])
        if error_s <= tolerance_s:
            stop, found = end, (slope, offset)
            grown *= 2
        else:
            grown //= 2
    return stop, *found


def _fit_beats(beats_s: _Array) -> tuple[float, float, float]:
    """Return the least-squares period and first beat, and the largest distance of a beat.

    Equals `numpy.polyfit` in a tenth of its time, which matters for free playing.
    """
    numbers = np.arange(len(beats_s)) - (len(beats_s) - 1) / 2
    period_s = float(numbers @ beats_s / (numbers @ numbers))
    line_s = period_s * numbers + beats_s.mean()
    return period_s, float(line_s[0]), float(np.abs(line_s - beats_s).max())


def strength_at(envelope: _Array, frames: NDArray[np.intp]) -> _Array:
    """Return the envelope's maximum within two frames of each frame."""
    around = np.clip(frames[:, None] + np.arange(-2, 3), 0, len(envelope) - 1)
    strongest: _Array = envelope[around].max(axis=1)
    return strongest


def peak_frames(envelope: _Array, frames: NDArray[np.intp], reach: int) -> _Array:
    """Return the fractional frame of the largest peak within ``reach`` of each frame."""
    last = len(envelope) - 1
    around = np.clip(frames[:, None] + np.arange(-reach, reach + 1), 0, last)
    peaks = around[np.arange(len(frames)), envelope[around].argmax(axis=1)]
    shift = parabolic_shift(*(envelope[np.clip(peaks + step, 0, last)] for step in (-1, 0, 1)))
    refined: _Array = peaks + np.clip(shift, -0.5, 0.5)
    return refined
