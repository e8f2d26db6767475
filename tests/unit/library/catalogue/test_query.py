"""Questions that make sense, and those that do not."""

from typing import Any

import pytest

from core.errors import InvalidOption
from core.library.catalogue.query import Range, TrackQuery, fold, neighbourhood


def test_the_neighbourhood_goes_round_the_wheel() -> None:
    """12 is beside 1."""
    assert set(neighbourhood("12A")) == {"12A", "11A", "1A", "12B"}
    assert neighbourhood("1B")[0] == "1B"


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Beyoncé", "beyonce"), ("STRASSE", "strasse"), ("Straße", "strasse"), ("ﬁne  Ⅳ", "fine iv")],
)
def test_folding_makes_spellings_equal(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"key": "H"}, "key"),
        ({"mixes_with": ""}, "mixes_with"),
        ({"tempo_bpm": Range(2, 1)}, "tempo_bpm"),
        ({"energy": Range(float("nan"))}, "energy"),
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
    ],
)
def test_a_question_that_cannot_be_answered_names_its_field(
    wishes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidOption) as caught:
        TrackQuery(**wishes)
    assert caught.value.field == field
