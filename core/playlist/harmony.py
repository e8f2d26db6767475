"""The rules of harmonic mixing, as a table with scores.

Conventions: a key is a Camelot code (`core.analysis.harmony.camelot`) or, in columns, its place in
`CODES`; `UNKNOWN_KEY` stands for a key that is not known and counts as `NEUTRAL` with every key.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.harmony.camelot import KEYS, Relation, key_to_camelot, relation

NEUTRAL = 0.5
"""What anything counts that is not known: neither a reason for a transition nor against it."""


@dataclass(frozen=True, slots=True)
class MixRule:
    """What one relation of two keys is worth, 0 to 1, and what it does, in words."""

    score: float
    words: str


RULES: dict[Relation, MixRule] = {
    "same": MixRule(1.0, "same key"),
    "adjacent": MixRule(0.9, "adjacent keys"),
    "relative": MixRule(0.9, "relative keys"),
    # A whole tone up shares five notes of seven, a semitone up two.
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
"""Shape (25, 25): the score of mixing from the key of the row into that of the column."""


def codes_to_keys(codes: Iterable[str | None]) -> NDArray[np.intp]:
    """Give the places of Camelot codes in `CODES`, `UNKNOWN_KEY` for None and for no text.

    Raises ValueError for a text that is no Camelot code: a silent clash would be worse.
    """
    keys = []
    for code in codes:
        if code and code not in _PLACES:
            raise ValueError(f"not a Camelot code: {code!r}")
        keys.append(_PLACES[code] if code else UNKNOWN_KEY)
    return np.array(keys, dtype=np.intp)
