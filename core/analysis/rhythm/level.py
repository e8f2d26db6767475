"""Metrical level of a recording: is it counted at 87 or at 174 BPM?

Every tempo that the periodicity suggests, and its simple fractions and multiples, are candidates;
a learned score over how strongly the bands repeat at each candidate's subdivisions and multiples,
plus a prior for how fast music is, ranks them.

Reference: Ellis, "Beat tracking by dynamic programming", JNMR 36 (2007) (the prior).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.rhythm.periodicity import Periodicity
from core.analysis.rhythm.ranker import load_ranker, softmax

PRIOR_TEMPO_BPM = 127.0
"""Centre of the prior for how fast music is. No benchmark recorded."""
PRIOR_OCTAVES = 0.5
"""Standard deviation of the prior, in octaves. No benchmark recorded."""

GRID_BPM = np.asarray(40.0 * 1.004 ** np.arange(460), dtype=np.float64)
"""Tempi that are tried, 0.4 % apart, from 40 to 250 BPM."""
# Other levels and triple meters that people count a strong tempo at.
_FAMILY_RATIOS = np.array([1, 2, 1 / 2, 3, 1 / 3, 3 / 2, 2 / 3, 4 / 3, 3 / 4])
# Spans, in beats, and multiples of the tempo at which repetition is a feature.
_RATIOS = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 3, 4])
N_FEATURES = 112
"""Columns of `level_features`: 5 bands at 11 ratios, twice, and two of the pulse."""
_BEATS = np.array([1, 2, 4])  # spans whose repetition makes the clarity

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LevelRules:
    """Which tempi are candidates for the level of a recording.

    Parameters
    ----------
    n_families : strongest tempi of the periodicity whose simple fractions and multiples are
        candidates.
    apart : relative distance within which one of two candidates is dropped.
    near : relative distance within which a candidate's score holds for a tempo.
    range_slack : share by which a candidate may lie outside the range: its place is known to 0.4 %
        only.
    least_repeat : autocorrelation after one beat below which nothing repeats: two lone onsets
        repeat after some span.
    least_coherence : floor of the pulse's coherence, whose logarithm is a feature.
    beat_weights : weights of the autocorrelation after one, two and four beats.

    The candidates' weights are trained by bench.train_rhythm on songs made by rule, with these
    values; bench.tempo_validation cross-validates the one constant that was chosen on recordings,
    the power of the coherence. No benchmark of the values here is recorded.
    """

    n_families: int = 3
    apart: float = 0.02
    near: float = 0.03
    range_slack: float = 0.005
    least_repeat: float = 0.02
    least_coherence: float = 0.01
    beat_weights: tuple[float, ...] = (0.5, 0.25, 0.25)


RULES = LevelRules()
_BEAT_WEIGHTS = np.array(RULES.beat_weights)


@dataclass(frozen=True, slots=True)
class Levels:
    """Candidate tempi of a recording, most probable first, with their probabilities.

    Parameters
    ----------
    tempi_bpm, probabilities : ``(n,)`` each, inside the requested range.
    clarity : share of the onsets that repeats at the most probable tempo, 0 to 1.
    all_bpm, all_scores : every candidate, inside and outside the range, and its log-probability up
        to a constant.
    """

    tempi_bpm: _Array
    probabilities: _Array
    clarity: float
    all_bpm: _Array
    all_scores: _Array

    def score_near(self, tempo_bpm: float) -> float:
        """Score a tempo relative to the chosen one, 0 to 1; 0 if it is not near a candidate."""
        is_near = np.abs(self.all_bpm / tempo_bpm - 1) < RULES.near
        is_chosen = np.abs(self.all_bpm / self.tempi_bpm[0] - 1) < RULES.near
        if not is_near.any() or not is_chosen.any():
            return 0.0
        lead = self.all_scores[is_near].max() - self.all_scores[is_chosen].max()
        return float(np.exp(min(0.0, lead)))


def rank_levels(periodicity: Periodicity, tempo_range_bpm: tuple[float, float]) -> Levels:
    """Rank the tempi inside a range; without repetition the result is empty.

    If a narrow range holds no candidate, candidates are doubled or halved into it.
    """
    everything = find_candidates(periodicity)
    tempi = fit_into(everything, tempo_range_bpm)
    if not len(tempi):
        return Levels(tempi, tempi, 0.0, tempi, tempi)
    scores = _score(periodicity, tempi)
    order = np.argsort(-scores)
    around: _Array = tempi[order[0]] * np.array([1.0, 0.5])
    return Levels(
        tempi_bpm=tempi[order],
        probabilities=softmax(scores[order]),
        # A level at double the pulse repeats after two beats only.
        clarity=float(rate_clarity(periodicity, around).max()),
        all_bpm=everything,
        all_scores=_score(periodicity, everything),
    )


def _score(periodicity: Periodicity, tempi_bpm: _Array) -> _Array:
    features = level_features(periodicity, tempi_bpm)
    return load_ranker("level").score(features) + log_prior(tempi_bpm)


def find_candidates(periodicity: Periodicity) -> _Array:
    """Return the tempi that repetition suggests, 40 to 250 BPM, at least 2 % apart."""
    clarity = rate_clarity(periodicity, GRID_BPM)
    magnitude = periodicity.magnitude_at(GRID_BPM / 60)[:2].sum(axis=0)
    strength = np.sqrt(clarity) * magnitude
    is_peak = (strength > np.roll(strength, 1)) & (strength >= np.roll(strength, -1))
    peaks = np.flatnonzero(is_peak[1:-1]) + 1
    best = peaks[np.argsort(-strength[peaks])][: RULES.n_families]
    kept: list[float] = []
    for tempo in np.outer(GRID_BPM[best], _FAMILY_RATIOS).T.ravel():
        if GRID_BPM[0] <= tempo <= GRID_BPM[-1] and all(
            abs(tempo / k - 1) > RULES.apart for k in kept
        ):
            kept.append(float(tempo))
    return np.array(kept)


def level_features(periodicity: Periodicity, tempi_bpm: _Array) -> _Array:
    """Return the features of repetition around each tempo, ``(n_tempi, N_FEATURES)``."""
    periods = 60 / tempi_bpm
    correlation = periodicity.correlation_at(np.outer(periods, _RATIOS))
    magnitude = np.sqrt(periodicity.magnitude_at(np.outer(1 / periods, _RATIOS)))
    columns = np.concatenate([correlation, magnitude]).transpose(1, 0, 2).reshape(len(periods), -1)
    pulse = np.log(rate_pulse(periodicity, tempi_bpm))
    # A beat of alternating kick and snare repeats after two beats.
    repeats = np.clip(
        _BEAT_WEIGHTS @ periodicity.correlation_at(np.outer(_BEATS, periods))[0], 0, 1
    )
    plain = np.log(np.sqrt(repeats) * periodicity.magnitude_at(tempi_bpm / 60)[0] + 1e-3)
    return np.column_stack([columns, pulse, plain])


def rate_pulse(periodicity: Periodicity, tempi_bpm: _Array) -> _Array:
    """Return the phase coherence of the beat or its half, 0.01 to 1, ``(n_tempi,)``."""
    once, twice = (periodicity.coherence_at(n * tempi_bpm / 60) for n in (1, 2))
    return np.clip(np.maximum(once, twice), RULES.least_coherence, 1.0)


def log_prior(tempi_bpm: _Array) -> _Array:
    """Return the log-prior of tempi: log-normal around `PRIOR_TEMPO_BPM`."""
    prior: _Array = -0.5 * (np.log2(tempi_bpm / PRIOR_TEMPO_BPM) / PRIOR_OCTAVES) ** 2
    return prior


def rate_clarity(periodicity: Periodicity, tempi_bpm: _Array) -> _Array:
    """Return the weighted repetition after one, two and four beats, 0 to 1, ``(n_tempi,)``."""
    spans = np.outer(_BEATS, 60 / tempi_bpm)
    correlation = periodicity.correlation_at(spans)[0]
    clarity = np.clip(_BEAT_WEIGHTS @ correlation, 0, 1)
    return np.where(correlation[0] > RULES.least_repeat, clarity, 0.0)


def fit_into(tempi_bpm: _Array, tempo_range_bpm: tuple[float, float]) -> _Array:
    """Return the tempi inside a range; if there are none, their doubles or halves inside it."""
    lowest = tempo_range_bpm[0] * (1 - RULES.range_slack)
    highest = tempo_range_bpm[1] * (1 + RULES.range_slack)
    inside = tempi_bpm[(tempi_bpm >= lowest) & (tempi_bpm <= highest)]
    if len(inside):
        return inside
    factors = np.exp2(np.arange(-3, 4))
    folded = np.outer(tempi_bpm, factors).ravel()
    return np.unique(folded[(folded >= lowest) & (folded <= highest)])
