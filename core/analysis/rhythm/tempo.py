"""Tempo of a recording, its alternatives, beats and bars.

Data flow: spectra → onsets in bands (`core.analysis.rhythm.onset`) → periodicity
(`core.analysis.rhythm.periodicity`) → metrical level, 87 or 174 (`core.analysis.rhythm.level`, then
`core.analysis.rhythm.choice`) → beats (`core.analysis.rhythm.beats`) → downbeats
(`core.analysis.rhythm.downbeats`).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.analysis.rhythm.activity import count_strokes
from core.analysis.rhythm.beats import Beats, find_beats, guide
from core.analysis.rhythm.choice import rank_grids
from core.analysis.rhythm.downbeats import Downbeats, TimeSignature, find_downbeats
from core.analysis.rhythm.grid import GridLine, beat_envelope, lay_segments
from core.analysis.rhythm.level import Levels, rank_levels
from core.analysis.rhythm.onset import onset_bands
from core.analysis.rhythm.patterns import measure_strokes
from core.analysis.rhythm.periodicity import measure_periodicity
from core.analysis.rhythm.ranker import load_ranker
from core.analysis.spectra import Spectra
from core.analysis.version import TEMPO_RANGE_BPM

ALTERNATIVE_RATIOS = (2.0, 1 / 2, 3 / 2, 2 / 3)
"""Levels that people count at instead: double, half, three halves and two thirds."""


_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TempoRules:
    """When a recording has a tempo, and how sure it is.

    Parameters
    ----------
    least_clarity : share of the onsets that must repeat at the likeliest tempo, 0 to 1. No
        benchmark recorded.
    sure_strokes : struck beats from which the confidence is not reduced; a few clicks repeat by
        chance. No benchmark recorded.
    on_grid_s : by how many seconds the first beat must lie too near to the second to count as moved
        to the first sample; well above rounding.
    """

    least_clarity: float = 0.02
    sure_strokes: int = 16
    on_grid_s: float = 0.002


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
    confidence : 0 to 1, probability that the tempo is right and no beat is half a beat off, times
        the share of the recording that has it.
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
    strokes = measure_strokes(spectra)
    levels = rank_grids(onsets, strokes, beat_envelope(onsets), levels)
    guides_bpm = guide(onsets, levels, tempo_range_bpm)
    beats = find_beats(onsets, strokes, guides_bpm, spectra.duration_s)
    n_struck = _count_struck(spectra, beats.times_s)
    if n_struck < 2:
        return TempoEstimate()
    starts = np.cumsum([0, *(len(part.beats_s) for part in beats.parts[:-1])])
    bars = find_downbeats(spectra, onsets, strokes, beats.times_s, [int(start) for start in starts])
    return TempoEstimate(
        tempo_bpm=beats.tempo_bpm,
        confidence=_rate_confidence(levels, beats, n_struck),
        alternatives=_list_alternatives(levels, beats.tempo_bpm),
        beats_s=tuple(float(time) for time in beats.times_s),
        downbeats_s=tuple(float(beats.times_s[beat]) for beat in bars.beats),
        is_steady=len(beats.parts) == 1,
        time_signature=bars.time_signature,
        downbeat_confidence=bars.confidence * beats.sureness,
        grid=_lay_grid(beats, bars),
    )


def _lay_grid(beats: Beats, bars: Downbeats) -> tuple[GridLine, ...]:
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


def _rate_confidence(levels: Levels, beats: Beats, n_struck: int) -> float:
    score = load_ranker("confidence").score(confidence_features(levels, beats.steadiness))
    confidence = float(1 / (1 + np.exp(-score[0])))
    # A few strokes may repeat by chance.
    held = confidence * beats.hold * n_struck / RULES.sure_strokes
    # Where two levels or two phases are nearly equal, either may be right.
    return min(held, float(levels.probabilities[0]), beats.sureness)


def _list_alternatives(levels: Levels, tempo_bpm: float) -> tuple[TempoCandidate, ...]:
    candidates = [
        TempoCandidate(tempo_bpm * ratio, levels.score_near(tempo_bpm * ratio))
        for ratio in ALTERNATIVE_RATIOS
    ]
    return tuple(sorted(candidates, key=lambda candidate: -candidate.score))
