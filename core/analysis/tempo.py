"""How fast a recording is: tempo, its alternatives, beats and bars.

The way: spectra → onsets in bands (`core.analysis.onset`) → how they repeat
(`core.analysis.periodicity`) → the level it is counted at, 87 or 174 (`core.analysis.level`) → the
exact tempo and whether it holds (`core.analysis.grid`) → the phase of the beat
(`core.analysis.phase`) → where bars begin (`core.analysis.downbeats`).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.analysis.activity import count_strokes
from core.analysis.downbeats import Downbeats, TimeSignature, find_downbeats
from core.analysis.grid import (
    LATENCY_S,
    GridSegment,
    beat_envelope,
    fit_line,
    follow_beats,
    lay_even,
    lay_segments,
    peak_frames,
    rate_steadiness,
    refine_tempo,
    snap_tempo,
)
from core.analysis.level import Levels, rank_levels
from core.analysis.onset import OnsetBands, onset_bands
from core.analysis.periodicity import measure_periodicity
from core.analysis.phase import find_phase
from core.analysis.ranker import load_ranker
from core.analysis.spectra import Spectra

ALTERNATIVE_RATIOS = (2.0, 1 / 2, 3 / 2, 2 / 3)
TEMPO_RANGE_BPM = (70.0, 180.0)

_MIN_CLARITY = 0.02
_STEADY_SHARE = 0.71
_UNSTEADY_CONFIDENCE = 0.5
_SURE_STROKES = 16
_CLEARLY_BETTER = 0.15
_ON_GRID_S = 0.002

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TempoCandidate:
    """Another tempo that the beat could be felt at; ``score`` is relative to the chosen one's 1."""

    tempo_bpm: float
    score: float


@dataclass(frozen=True, slots=True)
class TempoEstimate:
    """Tempo, beats and bars of a recording.

    Parameters
    ----------
    tempo_bpm : 0.0 where there is none: silence, no repeating onsets, shorter than two beats.
    confidence : 0 to 1, how probable it is that the tempo is right.
    alternatives : twice, half, three halves and two thirds of the tempo, best first.
    beats_s, downbeats_s : times in seconds, ascending, inside the recording; every downbeat is a
        beat.
    is_steady : whether one tempo holds throughout, so that the beats form an even grid.
    time_signature : None where neither 4/4 nor 3/4 fits; bars of four are then assumed.
    downbeat_confidence : 0 to 1, how probable it is that bars begin where they are said to.
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
    grid: tuple[GridSegment, ...] = field(default=())


def estimate_tempo(
    spectra: Spectra, *, tempo_range_bpm: tuple[float, float] = TEMPO_RANGE_BPM
) -> TempoEstimate:
    """Find tempo, beats and bars of a recording.

    Parameters
    ----------
    spectra : see `core.analysis.spectra`.
    tempo_range_bpm : the tempo is looked for inside this range; what is faster or slower is
        counted at its half or double there. A range narrower than an octave may be missed.

    Returns
    -------
    The estimate; a steady tempo is exact to about 0.02 BPM from 20 s on. Silence, one sample and
    anything shorter than two beats give 0.0 BPM, no beats and no confidence.

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
    if levels.clarity < _MIN_CLARITY or spectra.duration_s < 2 * 60 / levels.tempi_bpm[0]:
        return TempoEstimate()
    beats = _find_beats(onsets, float(levels.tempi_bpm[0]), spectra.duration_s)
    n_struck = _count_struck(spectra, beats.times_s)
    if n_struck < 2:
        return TempoEstimate()
    bars = find_downbeats(spectra, onsets, beats.times_s)
    return TempoEstimate(
        tempo_bpm=beats.tempo_bpm,
        confidence=_rate_confidence(levels, beats, n_struck),
        alternatives=_list_alternatives(levels, beats.tempo_bpm),
        beats_s=tuple(float(time) for time in beats.times_s),
        downbeats_s=tuple(float(t) for t in beats.times_s[bars.first :: bars.beats_per_bar]),
        is_steady=beats.is_steady,
        time_signature=bars.time_signature,
        downbeat_confidence=bars.confidence,
        grid=_lay_grid(beats, bars),
    )


def arbitrate_tempo(mixture: TempoEstimate, drums: TempoEstimate | None) -> TempoEstimate:
    """Choose between the tempo of the mixture and that of its drums.

    The drums win where they have a tempo and are clearly surer of it. Bars are told by harmony
    too, which drums have not: where both agree on the beat, the mixture's bars stand.

    Parameters
    ----------
    mixture, drums : estimates of the same recording; None or 0.0 BPM where there are no drums.
    """
    if drums is None or not drums.tempo_bpm:
        return mixture
    is_same = abs(drums.tempo_bpm / max(mixture.tempo_bpm, 1e-9) - 1) < 0.005
    if is_same or drums.confidence < mixture.confidence + _CLEARLY_BETTER:
        return mixture
    return drums


@dataclass(frozen=True, slots=True)
class _Beats:
    times_s: _Array
    tempo_bpm: float
    steadiness: float
    is_steady: bool


def _find_beats(onsets: OnsetBands, tempo_bpm: float, duration_s: float) -> _Beats:
    rate = onsets.frame_rate_hz
    envelope = beat_envelope(onsets)
    tempo_bpm = refine_tempo(envelope, rate, tempo_bpm)
    steadiness = rate_steadiness(envelope, rate, tempo_bpm)
    frames = np.arange(len(envelope))
    if steadiness < _STEADY_SHARE:
        times_s, tempo_bpm = _follow(onsets, envelope, tempo_bpm, duration_s)
        return _Beats(times_s, tempo_bpm, steadiness, is_steady=False)
    period_s = 60 / tempo_bpm
    phase, _ = find_phase(onsets, frames / rate / period_s)
    period_s, first_s = fit_line(envelope, rate, period_s, phase * period_s)
    period_s, first_s = snap_tempo(period_s, first_s, duration_s)
    times_s = lay_even(period_s, first_s + LATENCY_S, duration_s)
    return _Beats(times_s, 60 / period_s, steadiness, is_steady=True)


def _follow(
    onsets: OnsetBands, envelope: _Array, tempo_bpm: float, duration_s: float
) -> tuple[_Array, float]:
    """Give the beats one by one, and the tempo of their median interval."""
    rate = onsets.frame_rate_hz
    found = follow_beats(envelope, rate, tempo_bpm)
    if len(found) < 3:
        return np.zeros(0), 0.0
    numbers = np.arange(len(found))
    positions = np.interp(np.arange(len(envelope)), found, numbers)
    is_between = (positions > 0) & (positions < len(found) - 1)
    between = OnsetBands(onsets.strength[:, is_between], rate)
    phase, _ = find_phase(between, positions[is_between])
    shift = phase if phase < 0.9 else phase - 1
    moved = np.interp(numbers + shift, numbers, found, right=np.nan)
    moved = moved[np.isfinite(moved)]
    times_s = peak_frames(envelope, np.rint(moved).astype(np.intp), 2) / rate + LATENCY_S
    times_s = times_s[(times_s >= 0) & (times_s < duration_s)]
    times_s = times_s[np.concatenate([[True], np.diff(times_s) > 0])]
    if len(times_s) < 2:
        return times_s, 0.0
    return times_s, float(60 / np.median(np.diff(times_s)))


def _lay_grid(beats: _Beats, bars: Downbeats) -> tuple[GridSegment, ...]:
    if not beats.is_steady:
        return lay_segments(beats.times_s, bars.first, bars.beats_per_bar)
    # A first beat that was moved to the first sample does not lie on the grid.
    is_moved = np.diff(beats.times_s[:2])[0] < 60 / beats.tempo_bpm - _ON_GRID_S
    first = 1 if is_moved else 0
    return (
        GridSegment(
            start_s=float(beats.times_s[first]),
            tempo_bpm=beats.tempo_bpm,
            n_beats=len(beats.times_s) - first,
            first_beat_in_bar=(first - bars.first) % bars.beats_per_bar + 1,
        ),
    )


def confidence_features(levels: Levels, steadiness: float) -> _Array:
    """Give what tells a right tempo from a wrong one, ``(1, 4)``; the last column is constant."""
    sureness, clarity = float(levels.probabilities[0]), float(np.sqrt(levels.clarity))
    return np.array([[sureness, clarity, steadiness, 1.0]])


def _count_struck(spectra: Spectra, beats_s: _Array) -> int:
    """Count the beats, or halves of beats, that something starts on, as far as it matters."""
    halves_s = beats_s[:-1] + np.diff(beats_s) / 2
    times_s = np.concatenate([beats_s, halves_s])
    return count_strokes(spectra, times_s, enough=min(len(beats_s), _SURE_STROKES))


def _rate_confidence(levels: Levels, beats: _Beats, n_struck: int) -> float:
    score = load_ranker("confidence").score(confidence_features(levels, beats.steadiness))
    confidence = float(1 / (1 + np.exp(-score[0])))
    # One figure for a tempo that moves is right at most for a part of the recording; and what is
    # struck a few times only, or never, may repeat by chance.
    hold = beats.steadiness if beats.is_steady else _UNSTEADY_CONFIDENCE
    return confidence * hold * n_struck / _SURE_STROKES


def _list_alternatives(levels: Levels, tempo_bpm: float) -> tuple[TempoCandidate, ...]:
    candidates = [
        TempoCandidate(tempo_bpm * ratio, levels.score_near(tempo_bpm * ratio))
        for ratio in ALTERNATIVE_RATIOS
    ]
    return tuple(sorted(candidates, key=lambda candidate: -candidate.score))
