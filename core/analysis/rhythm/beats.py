"""Beats at a tempo: one even grid, several, or beats tracked one by one.

Data flow: level of the tempo → exact tempo (`core.analysis.rhythm.grid`) and its stretches
(`core.analysis.rhythm.stretches`) → phase of the beat (`core.analysis.rhythm.phase`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.rhythm.grid import (
    beat_envelope,
    fit_line,
    follow_beats,
    lay_even,
    peak_frames,
    refine_tempo,
    snap_tempo,
)
from core.analysis.rhythm.level import Levels, rank_levels
from core.analysis.rhythm.onset import LATENCY_S, OnsetBands
from core.analysis.rhythm.patterns import Strokes
from core.analysis.rhythm.periodicity import measure_periodicity
from core.analysis.rhythm.phase import rank_phases
from core.analysis.rhythm.piecewise import EvenPart, lay_stretches
from core.analysis.rhythm.stretches import (
    find_stretches,
    rate_coverage,
    rate_steadiness,
    split_half_steps,
)

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BeatRules:
    """Which grid a recording gets.

    Parameters
    ----------
    steady_share : share of the pulse that must lie on one grid, or on the grids of all stretches, 0
        to 1; below it beats are followed one by one.
    unsteady_confidence : factor of the confidence of a tempo that moves: one figure is right for a
        part of the recording at most.
    same_tempo : relative difference up to which stretches have one tempo.
    met : strength of the onsets on the beats of stretches, relative to that on followed beats, from
        which the stretches are kept.
    late_phase : fraction of a beat from which a phase counts as just before the beat instead of
        after it.
    sure_level : probability of the likeliest level above which the halves of the recording are not
        asked.
    same_octaves : distance from a whole number of octaves within which the tempi of both halves are
        the same.
    unlike : score, relative to its own tempo's 1, up to which a half does not have the tempo of the
        other.

    `steady_share`, `same_tempo`, `met`, `sure_level`, `same_octaves` and `unlike` choose between
    one grid and several; they were set together with `core.analysis.rhythm.stretches.StretchRules`
    on edited recordings (docs/benchmarks.md).
    """

    steady_share: float = 0.71
    unsteady_confidence: float = 0.5
    same_tempo: float = 0.002
    met: float = 0.82
    late_phase: float = 0.9
    sure_level: float = 0.93
    same_octaves: float = 0.04
    unlike: float = 0.3


RULES = BeatRules()


@dataclass(frozen=True, slots=True)
class Beats:
    """Beats of a recording.

    Parameters
    ----------
    parts : even grids in order of time; () where beats are tracked one by one.
    steadiness : share of the pulse on a grid, 0 to 1.
    hold : share of the recording that has the tempo, 0 to 1.
    sureness : probability that the beats are not half a beat off, 0 to 1.
    """

    times_s: _Array
    tempo_bpm: float
    steadiness: float
    hold: float
    sureness: float
    parts: tuple[EvenPart, ...] = ()

    @property
    def has_one_tempo(self) -> bool:
        """Whether all even grids share one tempo, as after a stop or a cut."""
        periods_s = [part.period_s for part in self.parts]
        return bool(periods_s) and max(periods_s) - min(periods_s) < RULES.same_tempo * min(
            periods_s
        )


def guide(
    onsets: OnsetBands, levels: Levels, tempo_range_bpm: tuple[float, float]
) -> tuple[float, ...]:
    """Return the most probable tempo, followed by those of both halves if they differ.

    A song that changes from 120 to 90 BPM repeats at 180 throughout, which is the beat of neither
    half.
    """
    likeliest_bpm = float(levels.tempi_bpm[0])
    if levels.probabilities[0] > RULES.sure_level:
        return (likeliest_bpm,)
    middle, rate = onsets.strength.shape[1] // 2, onsets.frame_rate_hz
    halves = [
        rank_levels(measure_periodicity(OnsetBands(strength, rate)), tempo_range_bpm)
        for strength in (onsets.strength[:, :middle], onsets.strength[:, middle:])
    ]
    if not all(len(half.tempi_bpm) for half in halves):
        return (likeliest_bpm,)
    first, last = halves
    first_bpm, last_bpm = float(first.tempi_bpm[0]), float(last.tempi_bpm[0])
    octaves = np.log2(last_bpm / first_bpm)
    likeness = max(first.score_near(last_bpm), last.score_near(first_bpm))
    if abs(octaves - np.rint(octaves)) < RULES.same_octaves or likeness > RULES.unlike:
        return (likeliest_bpm,)
    return likeliest_bpm, first_bpm, last_bpm


def find_beats(
    onsets: OnsetBands, strokes: Strokes, guides_bpm: tuple[float, ...], duration_s: float
) -> Beats:
    """Find the beats of a recording.

    Parameters
    ----------
    onsets, strokes : of the recording.
    guides_bpm : the most probable tempo, then those of both halves if they differ (`guide`).
    duration_s : of the recording.
    """
    rate = onsets.frame_rate_hz
    envelope = beat_envelope(onsets)
    tempo_bpm = refine_tempo(envelope, rate, guides_bpm[0])
    steadiness = rate_steadiness(envelope, rate, tempo_bpm)
    # Try the tempi of the halves first: the common one may be the beat of neither.
    tempi_bpm = [*(refine_tempo(envelope, rate, bpm) for bpm in guides_bpm[1:]), tempo_bpm]
    laid = (_lay_parts(onsets, strokes, envelope, bpm, duration_s) for bpm in tempi_bpm)
    stretched = next((beats for beats in laid if beats is not None), None)
    if stretched is not None and stretched.has_one_tempo:
        return stretched
    if stretched is not None or steadiness < RULES.steady_share:
        followed = _follow(onsets, strokes, envelope, tempo_bpm, steadiness, duration_s)
        # A tempo that varies throughout has even stretches, too, but they miss its beats.
        least = RULES.met * _meet(envelope, rate, followed.times_s)
        if stretched is not None and _meet(envelope, rate, stretched.times_s) >= least:
            return stretched
        if steadiness < RULES.steady_share:
            return followed
    period_s = 60 / tempo_bpm
    phases = rank_phases(onsets, strokes, np.arange(len(envelope)) / rate / period_s)
    first_s = float(phases.places[0]) * period_s
    period_s, first_s = fit_line(envelope, rate, period_s, first_s)
    period_s, first_s = snap_tempo(period_s, first_s, duration_s)
    times_s = lay_even(period_s, first_s + LATENCY_S, duration_s)
    part = EvenPart(times_s, period_s, phases.sureness)
    return Beats(times_s, 60 / period_s, steadiness, steadiness, part.sureness, (part,))


def _lay_parts(
    onsets: OnsetBands, strokes: Strokes, envelope: _Array, tempo_bpm: float, duration_s: float
) -> Beats | None:
    """Return beats on several even grids; None if those explain too little."""
    stretches = split_half_steps(onsets, find_stretches(onsets, envelope, tempo_bpm))
    share = rate_coverage(envelope, onsets.frame_rate_hz, stretches)
    if len(stretches) < 2 or share < RULES.steady_share:
        return None
    parts = tuple(lay_stretches(onsets, strokes, envelope, stretches, duration_s))
    if len(parts) < 2:
        return None
    tempi = np.array([60 / part.period_s for part in parts])
    lengths_s = np.array([len(part.beats_s) * part.period_s for part in parts])
    shares = (np.abs(tempi[:, None] / tempi - 1) < RULES.same_tempo) @ lengths_s / lengths_s.sum()
    # Among nearly equal tempi, take that of the longest part.
    most = int(np.lexsort((lengths_s, shares))[-1])
    times_s = np.concatenate([part.beats_s for part in parts])
    hold = share * float(shares[most])
    sureness = float(np.average([part.sureness for part in parts], weights=lengths_s))
    return Beats(times_s, float(tempi[most]), share, hold, sureness, parts)


def _meet(envelope: _Array, frame_rate_hz: float, beats_s: _Array) -> float:
    """Return the mean onset strength within a frame of each beat; 0 without beats."""
    frames = np.rint((beats_s - LATENCY_S) * frame_rate_hz).astype(np.intp)
    around = np.clip(frames[:, None] + np.arange(-1, 2), 0, len(envelope) - 1)
    return float(envelope[around].max(axis=1).mean()) if len(frames) else 0.0


def _follow(
    onsets: OnsetBands,
    strokes: Strokes,
    envelope: _Array,
    tempo_bpm: float,
    steadiness: float,
    duration_s: float,
) -> Beats:
    """Track beats one by one; their tempo is that of the median interval."""
    rate = onsets.frame_rate_hz
    found = follow_beats(envelope, rate, tempo_bpm)
    if len(found) < 3:
        return Beats(np.zeros(0), 0.0, steadiness, 0.0, 0.0)
    numbers = np.arange(len(found))
    positions = np.interp(np.arange(len(envelope)), found, numbers)
    is_between = (positions > 0) & (positions < len(found) - 1)
    between = OnsetBands(onsets.strength[:, is_between], rate)
    start_s = int(is_between.argmax()) / rate
    phases = rank_phases(between, strokes, positions[is_between], start_s=start_s)
    phase = float(phases.places[0])
    shift = phase if phase < RULES.late_phase else phase - 1
    moved = np.interp(numbers + shift, numbers, found, right=np.nan)
    moved = moved[np.isfinite(moved)]
    times_s = peak_frames(envelope, np.rint(moved).astype(np.intp), 2) / rate + LATENCY_S
    times_s = times_s[(times_s >= 0) & (times_s < duration_s)]
    times_s = times_s[np.concatenate([[True], np.diff(times_s) > 0])]
    most_bpm = float(60 / np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    return Beats(times_s, most_bpm, steadiness, RULES.unsteady_confidence, phases.sureness)
