"""Tempo of a recording, its alternatives, beats and bars.

Data flow: spectra → onsets in bands (`core.analysis.rhythm.onset`) → periodicity
(`core.analysis.rhythm.periodicity`) → metrical level, 87 or 174 (`core.analysis.rhythm.level`) →
exact tempo (`core.analysis.rhythm.grid`) and its stretches (`core.analysis.rhythm.stretches`) →
phase of the beat (`core.analysis.rhythm.phase`) → downbeats (`core.analysis.rhythm.downbeats`).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.analysis.rhythm.activity import count_strokes
from core.analysis.rhythm.downbeats import Downbeats, TimeSignature, find_downbeats
from core.analysis.rhythm.grid import (
    LATENCY_S,
    GridLine,
    beat_envelope,
    fit_line,
    follow_beats,
    lay_even,
    lay_segments,
    peak_frames,
    refine_tempo,
    snap_tempo,
)
from core.analysis.rhythm.level import Levels, rank_levels
from core.analysis.rhythm.onset import OnsetBands, onset_bands
from core.analysis.rhythm.periodicity import measure_periodicity
from core.analysis.rhythm.phase import find_phase
from core.analysis.rhythm.piecewise import EvenPart, lay_stretches
from core.analysis.rhythm.ranker import load_ranker
from core.analysis.rhythm.stretches import (
    find_stretches,
    rate_coverage,
    rate_steadiness,
    split_half_steps,
)
from core.analysis.spectra import Spectra
from core.analysis.version import TEMPO_RANGE_BPM

ALTERNATIVE_RATIOS = (2.0, 1 / 2, 3 / 2, 2 / 3)
"""Levels that people count at instead: double, half, three halves and two thirds."""


_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TempoRules:
    """When a recording has a tempo, how sure it is, and which grid it gets.

    Parameters
    ----------
    least_clarity : share of the onsets that must repeat at the likeliest tempo, 0 to 1. No
        benchmark recorded.
    steady_share : share of the pulse that must lie on one grid, or on the grids of all stretches, 0
        to 1; below it beats are followed one by one.
    unsteady_confidence : factor of the confidence of a tempo that moves: one figure is right for a
        part of the recording at most.
    sure_strokes : struck beats from which the confidence is not reduced; a few clicks repeat by
        chance. No benchmark recorded.
    on_grid_s : by how many seconds the first beat must lie too near to the second to count as moved
        to the first sample; well above rounding.
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

    least_clarity: float = 0.02
    steady_share: float = 0.71
    unsteady_confidence: float = 0.5
    sure_strokes: int = 16
    on_grid_s: float = 0.002
    same_tempo: float = 0.002
    met: float = 0.82
    late_phase: float = 0.9
    sure_level: float = 0.93
    same_octaves: float = 0.04
    unlike: float = 0.3


RULES = TempoRules()


@dataclass(frozen=True, slots=True)
class TempoCandidate:
    """Alternative tempo; ``score`` is relative to 1 for the chosen tempo."""

    tempo_bpm: float
    score: float


@dataclass(frozen=True, slots=True)
class TempoEstimate:
    """Tempo, beats and bars of a recording.

    Parameters
    ----------
    tempo_bpm : 0.0 for silence, without repeating onsets, and for less than two beats; the most
        common tempo of a recording that has several.
    confidence : 0 to 1, probability that the tempo is right, times the share of the recording that
        has it.
    alternatives : twice, half, three halves and two thirds of the tempo, best first.
    beats_s, downbeats_s : times in seconds, ascending, inside the recording; every downbeat is a
        beat.
    is_steady : whether the beats form one even grid throughout.
    time_signature : None where neither 4/4 nor 3/4 fits; bars of four are then assumed.
    downbeat_confidence : 0 to 1, probability that the downbeats are right.
    grid : stretches of constant tempo, ascending; one where the tempo is steady.
    """

    tempo_bpm: float = 0.0
    confidence: float = 0.0
    alternatives: tuple[TempoCandidate, ...] = field(default=())
    beats_s: tuple[float, ...] = field(default=())
    downbeats_s: tuple[float, ...] = field(default=())
    is_steady: bool = False
    time_signature: TimeSignature | None = None
    downbeat_confidence: float = 0.0
    grid: tuple[GridLine, ...] = field(default=())


def estimate_tempo(
    spectra: Spectra, *, tempo_range_bpm: tuple[float, float] = TEMPO_RANGE_BPM
) -> TempoEstimate:
    """Estimate tempo, beats and bars of a recording.

    Parameters
    ----------
    spectra : see `core.analysis.spectra`.
    tempo_range_bpm : range of the tempo; faster or slower music is counted at its half or double
        in it. A range narrower than an octave may be missed.

    Returns
    -------
    The estimate; a steady tempo is exact to about 0.02 BPM from 20 s on. Silence, one sample and
    recordings shorter than two beats give 0.0 BPM, no beats and a confidence of 0.

    Raises
    ------
    ValueError : the range is empty or reaches to zero.
    """
    lowest_bpm, highest_bpm = tempo_range_bpm
    if not 0 < lowest_bpm < highest_bpm:
        raise ValueError(f"not a tempo range: {tempo_range_bpm}")
    if spectra.is_silent:
        return TempoEstimate()
    onsets = onset_bands(spectra)
    levels = rank_levels(measure_periodicity(onsets), tempo_range_bpm)
    if levels.clarity < RULES.least_clarity or spectra.duration_s < 2 * 60 / levels.tempi_bpm[0]:
        return TempoEstimate()
    guides_bpm = _guide(onsets, levels, tempo_range_bpm)
    beats = _find_beats(onsets, guides_bpm, spectra.duration_s)
    n_struck = _count_struck(spectra, beats.times_s)
    if n_struck < 2:
        return TempoEstimate()
    starts = np.cumsum([0, *(len(part.beats_s) for part in beats.parts[:-1])])
    bars = find_downbeats(spectra, onsets, beats.times_s, [int(start) for start in starts])
    return TempoEstimate(
        tempo_bpm=beats.tempo_bpm,
        confidence=_rate_confidence(levels, beats, n_struck),
        alternatives=_list_alternatives(levels, beats.tempo_bpm),
        beats_s=tuple(float(time) for time in beats.times_s),
        downbeats_s=tuple(float(beats.times_s[beat]) for beat in bars.beats),
        is_steady=len(beats.parts) == 1,
        time_signature=bars.time_signature,
        downbeat_confidence=bars.confidence,
        grid=_lay_grid(beats, bars),
    )


@dataclass(frozen=True, slots=True)
class _Beats:
    """Beats of a recording.

    Parameters
    ----------
    parts : even grids in order of time; () where beats are tracked one by one.
    steadiness : share of the pulse on a grid, 0 to 1.
    hold : share of the recording that has the tempo, 0 to 1.
    """

    times_s: _Array
    tempo_bpm: float
    steadiness: float
    hold: float
    parts: tuple[EvenPart, ...] = ()

    @property
    def has_one_tempo(self) -> bool:
        """Whether all even grids share one tempo, as after a stop or a cut."""
        periods_s = [part.period_s for part in self.parts]
        return bool(periods_s) and max(periods_s) - min(periods_s) < RULES.same_tempo * min(
            periods_s
        )


def _guide(
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


def _find_beats(onsets: OnsetBands, guides_bpm: tuple[float, ...], duration_s: float) -> _Beats:
    rate = onsets.frame_rate_hz
    envelope = beat_envelope(onsets)
    tempo_bpm = refine_tempo(envelope, rate, guides_bpm[0])
    steadiness = rate_steadiness(envelope, rate, tempo_bpm)
    # Try the tempi of the halves first: the common one may be the beat of neither.
    tempi_bpm = [*(refine_tempo(envelope, rate, bpm) for bpm in guides_bpm[1:]), tempo_bpm]
    laid = (_lay_parts(onsets, envelope, bpm, duration_s) for bpm in tempi_bpm)
    stretched = next((beats for beats in laid if beats is not None), None)
    if stretched is not None and stretched.has_one_tempo:
        return stretched
    if stretched is not None or steadiness < RULES.steady_share:
        times_s, most_bpm = _follow(onsets, envelope, tempo_bpm, duration_s)
        # A tempo that varies throughout has even stretches, too, but they miss its beats.
        least = RULES.met * _meet(envelope, rate, times_s)
        if stretched is not None and _meet(envelope, rate, stretched.times_s) >= least:
            return stretched
        if steadiness < RULES.steady_share:
            return _Beats(times_s, most_bpm, steadiness, RULES.unsteady_confidence)
    period_s = 60 / tempo_bpm
    phase, _ = find_phase(onsets, np.arange(len(envelope)) / rate / period_s)
    period_s, first_s = fit_line(envelope, rate, period_s, phase * period_s)
    period_s, first_s = snap_tempo(period_s, first_s, duration_s)
    times_s = lay_even(period_s, first_s + LATENCY_S, duration_s)
    part = EvenPart(times_s, period_s)
    return _Beats(times_s, 60 / period_s, steadiness, steadiness, (part,))


def _lay_parts(
    onsets: OnsetBands, envelope: _Array, tempo_bpm: float, duration_s: float
) -> _Beats | None:
    """Return beats on several even grids; None if those explain too little."""
    stretches = split_half_steps(onsets, find_stretches(onsets, envelope, tempo_bpm))
    share = rate_coverage(envelope, onsets.frame_rate_hz, stretches)
    if len(stretches) < 2 or share < RULES.steady_share:
        return None
    parts = tuple(lay_stretches(onsets, envelope, stretches, duration_s))
    if len(parts) < 2:
        return None
    tempi = np.array([60 / part.period_s for part in parts])
    lengths_s = np.array([len(part.beats_s) * part.period_s for part in parts])
    shares = (np.abs(tempi[:, None] / tempi - 1) < RULES.same_tempo) @ lengths_s / lengths_s.sum()
    # Among nearly equal tempi, take that of the longest part.
    most = int(np.lexsort((lengths_s, shares))[-1])
    times_s = np.concatenate([part.beats_s for part in parts])
    return _Beats(times_s, float(tempi[most]), share, share * float(shares[most]), parts)


def _meet(envelope: _Array, frame_rate_hz: float, beats_s: _Array) -> float:
    """Return the mean onset strength within a frame of each beat; 0 without beats."""
    frames = np.rint((beats_s - LATENCY_S) * frame_rate_hz).astype(np.intp)
    around = np.clip(frames[:, None] + np.arange(-1, 2), 0, len(envelope) - 1)
    return float(envelope[around].max(axis=1).mean()) if len(frames) else 0.0


def _follow(
    onsets: OnsetBands, envelope: _Array, tempo_bpm: float, duration_s: float
) -> tuple[_Array, float]:
    """Track beats one by one; return them with the tempo of their median interval."""
    rate = onsets.frame_rate_hz
    found = follow_beats(envelope, rate, tempo_bpm)
    if len(found) < 3:
        return np.zeros(0), 0.0
    numbers = np.arange(len(found))
    positions = np.interp(np.arange(len(envelope)), found, numbers)
    is_between = (positions > 0) & (positions < len(found) - 1)
    between = OnsetBands(onsets.strength[:, is_between], rate)
    phase, _ = find_phase(between, positions[is_between])
    shift = phase if phase < RULES.late_phase else phase - 1
    moved = np.interp(numbers + shift, numbers, found, right=np.nan)
    moved = moved[np.isfinite(moved)]
    times_s = peak_frames(envelope, np.rint(moved).astype(np.intp), 2) / rate + LATENCY_S
    times_s = times_s[(times_s >= 0) & (times_s < duration_s)]
    times_s = times_s[np.concatenate([[True], np.diff(times_s) > 0])]
    if len(times_s) < 2:
        return times_s, 0.0
    return times_s, float(60 / np.median(np.diff(times_s)))


def _lay_grid(beats: _Beats, bars: Downbeats) -> tuple[GridLine, ...]:
    if not beats.parts:
        return lay_segments(beats.times_s, bars.firsts[0], bars.beats_per_bar)
    segments, before = [], 0
    for part, bar in zip(beats.parts, bars.firsts, strict=True):
        # A first beat moved to the first sample is off the grid.
        is_moved = np.diff(part.beats_s[:2])[0] < part.period_s - RULES.on_grid_s
        first = 1 if is_moved else 0
        segments.append(
            GridLine(
                start_s=float(part.beats_s[first]),
                tempo_bpm=60 / part.period_s,
                n_beats=len(part.beats_s) - first,
                first_beat_in_bar=(before + first - bar) % bars.beats_per_bar + 1,
            )
        )
        before += len(part.beats_s)
    return tuple(segments)


def confidence_features(levels: Levels, steadiness: float) -> _Array:
    """Return the features of the confidence, ``(1, 4)``; the last column is constant."""
    sureness, clarity = float(levels.probabilities[0]), float(np.sqrt(levels.clarity))
    return np.array([[sureness, clarity, steadiness, 1.0]])


def _count_struck(spectra: Spectra, beats_s: _Array) -> int:
    """Count the beats and half beats with a stroke, up to what the confidence needs."""
    halves_s = beats_s[:-1] + np.diff(beats_s) / 2
    times_s = np.concatenate([beats_s, halves_s])
    return count_strokes(spectra, times_s, enough=min(len(beats_s), RULES.sure_strokes))


def _rate_confidence(levels: Levels, beats: _Beats, n_struck: int) -> float:
    score = load_ranker("confidence").score(confidence_features(levels, beats.steadiness))
    confidence = float(1 / (1 + np.exp(-score[0])))
    # A few strokes may repeat by chance.
    held = confidence * beats.hold * n_struck / RULES.sure_strokes
    # Where two levels are nearly equal, either may be right.
    return min(held, float(levels.probabilities[0]))


def _list_alternatives(levels: Levels, tempo_bpm: float) -> tuple[TempoCandidate, ...]:
    candidates = [
        TempoCandidate(tempo_bpm * ratio, levels.score_near(tempo_bpm * ratio))
        for ratio in ALTERNATIVE_RATIOS
    ]
    return tuple(sorted(candidates, key=lambda candidate: -candidate.score))
