"""Questions that make sense, and those that do not."""

from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import InvalidOption
from core.library.catalogue.query import check_filter, neighbourhood
from core.system.texts import fold
from stemcrate.schemas.search import LISTED, NUMBERS, Bound, CatalogueFacts, SortKey, TrackQuery


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
        ({"mixes_with": "none"}, "mixes_with"),
        ({"tempo_min_bpm": 2, "tempo_max_bpm": 1}, "tempo_min_bpm"),
    ],
)
def test_a_question_that_cannot_be_answered_names_its_field(
    wishes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidOption) as caught:
        check_filter(TrackQuery(**wishes))
    assert caught.value.field == field


@pytest.mark.parametrize(
    "wishes",
    [{"energy_min": float("nan")}, {"limit": 0}, {"limit": 501}, {"vocals": "maybe"}],
)
def test_values_out_of_range_are_refused(wishes: dict[str, Any]) -> None:
    """NaN would find nothing, and a page without a limit the whole library."""
    with pytest.raises(ValidationError):
        TrackQuery(**wishes)


def test_every_filter_and_order_belongs_to_a_fact() -> None:
    """A fact that is renamed would leave its filter without a column."""
    bounds = [item for field in TrackQuery.model_fields.values() for item in field.metadata]
    assert {bound.fact for bound in bounds if isinstance(bound, Bound)} <= NUMBERS.keys()
    own = {SortKey.TITLE, SortKey.ARTIST, SortKey.GENRE, SortKey.ADDED}
    assert {column.sort for column in LISTED.values() if column.sort} == set(SortKey) - own
    assert CatalogueFacts.model_fields.keys() == LISTED.keys()
