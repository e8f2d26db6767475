"""Level of the tempo by what is played: kick and snare at 87 or at 174 BPM?

Repetition suggests candidates and ranks them (`core.analysis.rhythm.level`). The best of them are
laid over the recording as grids, and the network of bars (`core.analysis.rhythm.bar_net`) says how
well each fits, part by part.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.analysis.rhythm.grid import refine_tempo
from core.analysis.rhythm.level import Levels, log_prior
from core.analysis.rhythm.onset import OnsetBands
from core.analysis.rhythm.patterns import Strokes
from core.analysis.rhythm.phase import rank_phases
from core.analysis.rhythm.ranker import softmax

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChoiceRules:
    """Which levels are tried, and what decides between them.

    Parameters
    ----------
    n_levels : levels that are laid as grids, the best by repetition.
    part_s : length in seconds of the parts in which the grids are laid: that of the songs the
        network is trained on. A tempo that varies is still even there.
    most_parts : parts at most, evenly spread, which bounds the time of long recordings.
    repeat_weight : weight of the score by repetition; those of the network and of the prior are 1.

    The weight was chosen among 15 on made songs that are not trained on and on recordings
    (docs/benchmarks.md).
    """

    n_levels: int = 6
    part_s: float = 26.0
    most_parts: int = 4
    repeat_weight: float = 0.3


RULES = ChoiceRules()

_SAME = 1e-6
"""Relative difference within which two candidates are one: rounding."""


def rank_grids(onsets: OnsetBands, strokes: Strokes, envelope: _Array, levels: Levels) -> Levels:
    """Rank levels again, by how well their grids fit; fewer than two stay as they are."""
    if len(levels.tempi_bpm) < 2:
        return levels
    tried = levels.tempi_bpm[: RULES.n_levels]
    fits = np.array([_fit(onsets, strokes, envelope, float(bpm)) for bpm in tried])
    priors = log_prior(tried)
    repeats = np.log(levels.probabilities[: len(tried)] + 1e-12) - priors
    scores = RULES.repeat_weight * repeats + priors + fits
    order = np.argsort(-scores)
    every = log_prior(levels.all_bpm)
    every += RULES.repeat_weight * (levels.all_scores - every) + fits.min()
    for bpm, fit in zip(tried, fits, strict=True):
        every[np.abs(levels.all_bpm / bpm - 1) < _SAME] += fit - fits.min()
    return replace(
        levels,
        tempi_bpm=tried[order],
        probabilities=softmax(scores[order]),
        all_scores=every,
    )


def _fit(onsets: OnsetBands, strokes: Strokes, envelope: _Array, tempo_bpm: float) -> float:
    """Return the mean fit of the best grid in each of some parts."""
    rate = onsets.frame_rate_hz
    tempo_bpm = refine_tempo(envelope, rate, tempo_bpm)
    n_parts = max(1, round(len(envelope) / rate / RULES.part_s))
    edges = np.linspace(0, len(envelope), n_parts + 1).astype(np.intp)
    found = []
    spread = np.linspace(0, n_parts - 1, min(n_parts, RULES.most_parts)).round().astype(np.intp)
    for start, stop in zip(edges[spread], edges[spread + 1], strict=True):
        part = OnsetBands(onsets.strength[:, start:stop], rate)
        positions = np.arange(stop - start) / rate * tempo_bpm / 60
        phases = rank_phases(part, strokes, positions, start_s=start / rate)
        found.append(float(phases.scores[0]))
    return float(np.mean(found))
