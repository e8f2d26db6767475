"""At which bar lines a track changes: novelty, and phrases of 8 and 4 bars.

Reference: Foote, "Automatic audio segmentation using a measure of audio novelty", ICME 2000.
"""

import numpy as np
from numpy.typing import NDArray

from core.analysis.form.bars import BarFeatures

MIN_SECTION_BARS = 4

_REACHES = (4, 8)  # bars on either side that are compared
_FLANK_BARS = 2
_NEARLY = 0.85
_PHRASE_BARS = 8
_PHRASE_WEIGHTS = {8: 1.5, 4: 1.2}
_LEAST_NOVELTY = 0.12
_TIMBRE_SPREAD_DB = 12.0
_CHROMA_WEIGHT = 0.5

_Array = NDArray[np.float64]


def find_boundaries(bars: BarFeatures) -> tuple[list[int], _Array]:
    """Find the bars that begin a section.

    Returns
    -------
    Indices of bars, ascending, the first and the end (``len(bars)``) not among them; and the
    novelty of every bar line, ``(n_bars + 1,)``, 0 to 1.
    """
    novelty = measure_novelty(bars)
    weighted = novelty * _phrase_weights(novelty)
    chosen: list[int] = []
    for bar in np.argsort(-weighted):
        if weighted[bar] < _LEAST_NOVELTY:
            break
        if _is_peak(novelty, int(bar)) and _is_free(int(bar), chosen, len(bars)):
            chosen.append(int(bar))
    return sorted(chosen), novelty


def describe(bars: BarFeatures) -> _Array:
    """Give one vector a bar whose distances tell how differently two bars sound."""
    timbre = bars.timbre / (_TIMBRE_SPREAD_DB * np.sqrt(bars.timbre.shape[1]))
    return np.concatenate([timbre, _CHROMA_WEIGHT * bars.chroma], axis=1)


def measure_novelty(bars: BarFeatures) -> _Array:
    """Tell for every bar line how much more the sides differ than each does in itself.

    Shape ``(n_bars + 1,)``, 0 to 1; 0 at both ends.
    """
    features = describe(bars)
    novelty = np.zeros(len(bars) + 1)
    for bar in range(1, len(bars)):
        n_around = min(max(_REACHES), bar, len(bars) - bar)
        nearby = features[bar - n_around : bar + n_around]
        likeness = np.exp(-np.linalg.norm(nearby[:, None] - nearby[None], axis=2))
        reaches = {min(reach, n_around) for reach in _REACHES}
        novelty[bar] = max(_contrast(likeness, reach) for reach in reaches)
    return novelty


def _contrast(likeness: _Array, reach: int) -> float:
    """Compare the bars before the line in the middle with as many after it."""
    middle = len(likeness) // 2
    before, after = slice(middle - reach, middle), slice(middle, middle + reach)
    within = (likeness[before, before].mean() + likeness[after, after].mean()) / 2
    # Few bars prove little: one odd bar at either end is no section.
    certainty = reach / (reach + 1)
    return float(max(0.0, within - likeness[before, after].mean()) * certainty)


def _phrase_weights(novelty: _Array) -> _Array:
    """Favour the bar lines that lie whole phrases apart from most of the novelty."""
    lines = np.arange(len(novelty))
    totals = [float(novelty[lines % _PHRASE_BARS == phase].sum()) for phase in range(_PHRASE_BARS)]
    phase = int(np.argmax(totals))
    weights = np.ones(len(novelty))
    for length in (4, 8):
        weights[(lines - phase) % length == 0] = _PHRASE_WEIGHTS[length]
    return weights


def _is_peak(novelty: _Array, bar: int) -> bool:
    """Tell whether hardly more novelty lies within two bars: the flank of a change is no change."""
    nearby = novelty[max(0, bar - _FLANK_BARS) : bar + _FLANK_BARS + 1]
    return bool(novelty[bar] >= _NEARLY * nearby.max())


def _is_free(bar: int, chosen: list[int], n_bars: int) -> bool:
    return all(abs(bar - other) >= MIN_SECTION_BARS for other in [*chosen, 0, n_bars])
