"""Beats of a recording with several even grids.

Each stretch (`core.analysis.rhythm.stretches`) has a tempo. Its onsets determine the phase of the
beat, and a least-squares line through them places the grid. The border between two grids is placed
where the onsets change from one to the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.analysis.rhythm.grid import (
    SNAP_DRIFT_S,
    fit_line,
    lay_even,
    snap_tempo,
    strength_at,
)
from core.analysis.rhythm.onset import LATENCY_S, OnsetBands
from core.analysis.rhythm.patterns import Strokes
from core.analysis.rhythm.phase import rank_phases
from core.analysis.rhythm.stretches import Stretch

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PiecewiseRules:
    """Where one even grid goes over to the next.

    Parameters
    ----------
    border_s : seconds before and after the gap between two stretches in which the border is
        searched; a stretch ends at the centre of a window of 4 s.
    off_beat_weight : weight of an onset half a beat after the beat, relative to one on it.
    near_most : how far below the largest sum, in strongest onsets, a later border may lie.
    no_beat : share of the shorter period within which the last beat of a grid is dropped before the
        first of the next.

    The values were chosen together with `core.analysis.rhythm.stretches.StretchRules`; no benchmark
    of single values is recorded.
    """

    border_s: float = 2.5
    off_beat_weight: float = 0.6
    near_most: float = 0.25
    no_beat: float = 0.5


RULES = PiecewiseRules()


@dataclass(frozen=True, slots=True)
class EvenPart:
    """Beats of one even grid, ascending in seconds, at least 2.

    ``period_s`` is the grid's period, ``sureness`` the probability of its phase, 0 to 1.
    """

    beats_s: _Array
    period_s: float
    sureness: float


def lay_stretches(
    onsets: OnsetBands,
    strokes: Strokes,
    envelope: _Array,
    stretches: Sequence[Stretch],
    duration_s: float,
) -> list[EvenPart]:
    """Place an even grid over each stretch and its surroundings, from 0 to the end."""
    rate = onsets.frame_rate_hz
    grids = _agree([_place_grid(onsets, strokes, envelope, one) for one in stretches])
    inner_s = [
        _find_border(envelope, rate, (one.stop_s, other.start_s), (grid, next_grid))
        for one, other, grid, next_grid in zip(
            stretches, stretches[1:], grids, grids[1:], strict=False
        )
    ]
    borders_s = [0.0, *inner_s, duration_s]
    parts: list[EvenPart] = []
    for grid, start_s, stop_s in zip(grids, borders_s, borders_s[1:], strict=False):
        beats_s = lay_even(grid.period_s, grid.anchor_s + LATENCY_S, duration_s)
        beats_s = beats_s[(beats_s >= start_s) & (beats_s < stop_s)]
        if len(beats_s) < 2:
            continue
        if parts:
            # Of two beats that are too close, keep the one that begins a grid.
            before_s = parts[-1].beats_s
            kept = before_s < beats_s[0] - RULES.no_beat * min(grid.period_s, parts[-1].period_s)
            parts[-1] = replace(parts[-1], beats_s=before_s[kept])
        parts.append(EvenPart(beats_s, grid.period_s, grid.sureness))
    return parts


@dataclass(frozen=True, slots=True)
class _Grid:
    """An even grid: period, a beat near the middle of its stretch, length of the stretch.

    ``sureness`` is the probability of its phase.
    """

    period_s: float
    anchor_s: float
    length_s: float
    sureness: float


def _place_grid(onsets: OnsetBands, strokes: Strokes, envelope: _Array, stretch: Stretch) -> _Grid:
    """Find the phase of the beat in a stretch, and fit a line to the onsets."""
    rate, period_s = onsets.frame_rate_hz, 60 / stretch.tempo_bpm
    span = slice(round(stretch.start_s * rate), round(stretch.stop_s * rate))
    began_s = span.start / rate
    part = OnsetBands(onsets.strength[:, span], rate)
    positions = np.arange(span.stop - span.start) / rate / period_s
    phases = rank_phases(part, strokes, positions, start_s=began_s)
    first_s = float(phases.places[0]) * period_s
    period_s, first_s = fit_line(envelope[span], rate, period_s, first_s)
    middle = round((stretch.length_s / 2 - first_s) / period_s)
    anchor_s = began_s + first_s + middle * period_s
    return _Grid(period_s, anchor_s, stretch.length_s, phases.sureness)


def _agree(grids: Sequence[_Grid]) -> list[_Grid]:
    """Unify the periods of grids where no beat moves by more than the error of a fit."""
    longest = max(grids, key=lambda grid: grid.length_s)
    near = [
        grid
        for grid in grids
        if abs(grid.period_s / longest.period_s - 1) * grid.length_s / 2 <= SNAP_DRIFT_S
    ]
    # The variance of a fitted slope falls with the cube of the length.
    weights = [grid.length_s**3 for grid in near]
    mean_s = float(np.average([grid.period_s for grid in near], weights=weights))
    mean_s, _ = snap_tempo(mean_s, 0.0, longest.length_s)
    return [
        replace(
            grid,
            period_s=mean_s if grid in near else snap_tempo(grid.period_s, 0.0, grid.length_s)[0],
        )
        for grid in grids
    ]


def _find_border(
    envelope: _Array,
    frame_rate_hz: float,
    between_s: tuple[float, float],
    grids: tuple[_Grid, _Grid],
) -> float:
    """Find the border between two grids, just before a beat of the second.

    It maximises the sum of the onsets on the first grid before it and on the second after it; of
    several such beats, as in silence, the last counts.
    """
    span_s = min(between_s) - RULES.border_s, max(between_s) + RULES.border_s
    (one_s, one), (other_s, other) = (
        _strokes(envelope, frame_rate_hz, grid, span_s) for grid in grids
    )
    beats_s = other_s[::2]
    if not len(beats_s):
        return sum(between_s) / 2
    just_before_s = beats_s - grids[1].period_s / 4
    kept = np.concatenate([[0], np.cumsum(one)])[np.searchsorted(one_s, just_before_s)]
    ahead = other[::-1].cumsum()[::-1][::2]
    total = kept + ahead
    near_most = np.flatnonzero(
        total >= total.max() - RULES.near_most * max(one.max(initial=0), 1e-9)
    )
    return float(just_before_s[near_most[-1]])


def _strokes(
    envelope: _Array, frame_rate_hz: float, grid: _Grid, span_s: tuple[float, float]
) -> tuple[_Array, _Array]:
    """Return times and strengths of beats and half beats in a span, starting with a beat."""
    first = np.ceil((max(span_s[0], 0.0) - grid.anchor_s) / grid.period_s)
    last = np.floor((span_s[1] - grid.anchor_s) / grid.period_s)
    numbers = np.arange(first, last + 0.75, 0.5)
    times_s: _Array = grid.anchor_s + numbers * grid.period_s
    frames = np.rint(times_s * frame_rate_hz).astype(np.intp)
    weights = np.where(np.arange(len(numbers)) % 2 == 0, 1.0, RULES.off_beat_weight)
    return times_s, strength_at(envelope, frames) * weights
