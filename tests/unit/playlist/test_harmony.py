"""The rules of harmonic mixing."""

import numpy as np
import pytest

from core.analysis.harmony.camelot import camelot_to_key, key_to_camelot, key_to_open_key, parse_key
from core.playlist.harmony import CODES, HARMONY, NEUTRAL, RULES, UNKNOWN_KEY, codes_to_keys


@pytest.mark.parametrize(
    ("first", "second", "score"),
    [
        ("8A", "8A", 1.0),
        ("8A", "9A", 0.9),
        ("1A", "12A", 0.9),
        ("8A", "8B", 0.9),
        ("8A", "10A", 0.7),
        ("8A", "3A", 0.65),
        ("11B", "1B", 0.7),
        ("8A", "9B", 0.6),
        ("8A", "7B", 0.6),
        ("8A", "6A", 0.0),
        ("8A", "2B", 0.0),
    ],
)
def test_scores_of_the_table(first: str, second: str, score: float) -> None:
    """A table off by one hour, or an energy boost that also counts downwards."""
    row, column = codes_to_keys([first, second])
    assert HARMONY[row, column] == score


def test_every_key_has_the_same_number_of_each_rule() -> None:
    """A wheel that does not close at 12 to 1 shows in some rows only."""
    inner = HARMONY[:UNKNOWN_KEY, :UNKNOWN_KEY]
    assert all(sorted(row) == sorted(inner[0]) for row in inner)
    counts = [int((inner[0] == rule.score).sum()) for rule in RULES.values()]
    assert counts == [1, 3, 3, 1, 1, 2, 16]


def test_a_key_that_is_not_known_is_neutral_with_every_key() -> None:
    assert (HARMONY[UNKNOWN_KEY] == NEUTRAL).all()
    assert (HARMONY[:, UNKNOWN_KEY] == NEUTRAL).all()


def test_all_24_keys_go_both_ways_in_both_notations() -> None:
    """A rotated table of Open Key codes still has 24 different entries."""
    assert len(set(CODES)) == 24
    for code in CODES:
        key = camelot_to_key(code)
        assert key_to_camelot(key) == code
        assert parse_key(key_to_open_key(key)) == key
    assert key_to_open_key("A minor") == "1m"


def test_codes_become_columns_and_a_wrong_one_is_an_error() -> None:
    """A misspelt key must not become a silent clash."""
    np.testing.assert_array_equal(codes_to_keys(["1A", None, "", "12B"]), [0, 24, 24, 23])
    with pytest.raises(ValueError, match="'Am'"):
        codes_to_keys(["Am"])
