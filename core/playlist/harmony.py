"""Rules of harmonic mixing as a table of scores.

Conventions: a key is a Camelot code (`core.analysis.harmony.camelot`) or, in columns, its index in
`CODES`; `UNKNOWN_KEY` scores `NEUTRAL` with every key.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.harmony.camelot import KEYS, Relation, key_to_camelot, relation

NEUTRAL = 0.5
"""Score of unknown values, neither for nor against a transition."""


@dataclass(frozen=True, slots=True)
class MixRule:
    """Score of a relation of two keys, 0 to 1, and its description."""

    score: float
    words: str


RULES: dict[Relation, MixRule] = {
    "same": MixRule(1.0, "same key"),
    "adjacent": MixRule(0.9, "adjacent keys"),
    "relative": MixRule(0.9, "relative keys"),
    # Keys a whole tone apart share five notes of seven, a semitone apart two.
    "energy boost +2": MixRule(0.7, "energy boost of a whole tone"),
    "energy boost +7": MixRule(0.65, "energy boost of a semitone"),
    "diagonal": MixRule(0.6, "diagonal"),
    "clash": MixRule(0.0, "clash"),
}

CODES: tuple[str, ...] = tuple(key_to_camelot(key) for key in KEYS)
UNKNOWN_KEY = len(CODES)

_PLACES = {code: place for place, code in enumerate(CODES)}


def _tabulate() -> NDArray[np.float64]:
    table = np.full((UNKNOWN_KEY + 1, UNKNOWN_KEY + 1), NEUTRAL)
    for i, first in enumerate(CODES):
        for j, second in enumerate(CODES):
            table[i, j] = RULES[relation(first, second)].score
    table.flags.writeable = False
    return table


HARMONY: NDArray[np.float64] = _tabulate()
"""Shape (25, 25): score of mixing from the key of the row into that of the column."""


def codes_to_keys(codes: Iterable[str | None]) -> NDArray[np.intp]:
    """Return the indices of Camelot codes in `CODES`, `UNKNOWN_KEY` for None and empty text.

    Raises ValueError for an invalid code instead of counting it as a clash.
    """
    keys = []
    for code in codes:
        if code and code not in _PLACES:
            raise ValueError(f"not a Camelot code: {code!r}")
        keys.append(_PLACES[code] if code else UNKNOWN_KEY)
    return np.array(keys, dtype=np.intp)
