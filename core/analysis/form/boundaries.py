"""Section boundaries: novelty of bar lines, weighted by phrases of 8 and 4 bars.

Reference: Foote, "Automatic audio segmentation using a measure of audio novelty", ICME 2000.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.form.bars import BarFeatures

MIN_SECTION_BARS = 4
"""Length of the shortest section: half a phrase."""


_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BoundaryRules:
    """Which bar lines begin a section.

    Parameters
    ----------
    reaches : bars on either side of a line that are compared; the larger contrast counts.
    flank_bars : bars around a line in which hardly any other has more novelty.
    nearly : share of the largest novelty among them from which a line is a peak.
    phrase_bars : bars of a phrase; its half counts, too.
    phrase_weight : factor of the novelty of a line that lies whole phrases from most of the
        novelty.
    half_phrase_weight : the same for whole halves of phrases.
    least_novelty : weighted novelty below which a line begins no section.
    timbre_spread_db : mean difference of the mel levels in dB that counts as a distance of 1.
    chroma_weight : weight of the pitch classes in that distance.

    The rules were checked on synthesised tracks (tests/unit/analysis/form); no truth for real music
    was available, so no benchmark is recorded.
    """

    reaches: tuple[int, ...] = (4, 8)
    flank_bars: int = 2
    nearly: float = 0.85
    phrase_bars: int = 8
    phrase_weight: float = 1.5
    half_phrase_weight: float = 1.2
    least_novelty: float = 0.12
    timbre_spread_db: float = 12.0
    chroma_weight: float = 0.5


RULES = BoundaryRules()


def find_boundaries(bars: BarFeatures) -> tuple[list[int], _Array]:
    """Find the bars that begin a section.

    Returns
    -------
    Indices of bars, ascending, without 0 and ``len(bars)``; and the novelty of every bar line,
    ``(n_bars + 1,)``, 0 to 1.
    """
    novelty = measure_novelty(bars)
    weighted = novelty * _phrase_weights(novelty)
    chosen: list[int] = []
    for bar in np.argsort(-weighted):
        if weighted[bar] < RULES.least_novelty:
            break
        if _is_peak(novelty, int(bar)) and _is_free(int(bar), chosen, len(bars)):
            chosen.append(int(bar))
    return sorted(chosen), novelty


def describe(bars: BarFeatures) -> _Array:
    """Return one vector for each bar; their Euclidean distance measures dissimilarity."""
    timbre = bars.timbre / (RULES.timbre_spread_db * np.sqrt(bars.timbre.shape[1]))
    return np.concatenate([timbre, RULES.chroma_weight * bars.chroma], axis=1)


def measure_novelty(bars: BarFeatures) -> _Array:
    """Return for every bar line how much more its two sides differ than each does within itself.

    Shape ``(n_bars + 1,)``, 0 to 1; 0 at both ends.
    """
    features = describe(bars)
    novelty = np.zeros(len(bars) + 1)
    for bar in range(1, len(bars)):
        n_around = min(max(RULES.reaches), bar, len(bars) - bar)
        nearby = features[bar - n_around : bar + n_around]
        likeness = np.exp(-np.linalg.norm(nearby[:, None] - nearby[None], axis=2))
        reaches = {min(reach, n_around) for reach in RULES.reaches}
        novelty[bar] = max(_contrast(likeness, reach) for reach in reaches)
    return novelty


def _contrast(likeness: _Array, reach: int) -> float:
    """Compare the bars before the line in the middle with as many after it."""
    middle = len(likeness) // 2
    before, after = slice(middle - reach, middle), slice(middle, middle + reach)
    within = (likeness[before, before].mean() + likeness[after, after].mean()) / 2
    # Few bars are weak evidence: one odd bar at either end is not a section.
    certainty = reach / (reach + 1)
    return float(max(0.0, within - likeness[before, after].mean()) * certainty)


def _phrase_weights(novelty: _Array) -> _Array:
    """Weight the bar lines at whole phrases from most of the novelty."""
    lines = np.arange(len(novelty))
    totals = [
        float(novelty[lines % RULES.phrase_bars == phase].sum())
        for phase in range(RULES.phrase_bars)
    ]
    phase = int(np.argmax(totals))
    weights = np.ones(len(novelty))
    weights[(lines - phase) % (RULES.phrase_bars // 2) == 0] = RULES.half_phrase_weight
    weights[(lines - phase) % RULES.phrase_bars == 0] = RULES.phrase_weight
    return weights


def _is_peak(novelty: _Array, bar: int) -> bool:
    """Check that no bar line nearby is clearly more novel: it would be the actual change."""
    nearby = novelty[max(0, bar - RULES.flank_bars) : bar + RULES.flank_bars + 1]
    return bool(novelty[bar] >= RULES.nearly * nearby.max())


def _is_free(bar: int, chosen: list[int], n_bars: int) -> bool:
    return all(abs(bar - other) >= MIN_SECTION_BARS for other in [*chosen, 0, n_bars])
