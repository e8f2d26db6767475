"""Recipes: sums of what the model gives, with a reason where it doesn't."""

from typing import Any

import pytest

from core.errors import InvalidOption
from core.pipeline.composites import RECIPES, check_composites, resolve_recipes
from stemcrate.schemas.options import ProcessingOptions

FOUR = ("drums", "bass", "other", "vocals")
TWO = ("vocals", "accompaniment")
PARTS = ("harmonic", "percussive")
ALL = [recipe.name for recipe in RECIPES]


def test_four_stems_make_every_recipe() -> None:
    resolved = resolve_recipes(ALL, {}, stems=FOUR, parts=PARTS)
    assert resolved.skipped == {}
    assert resolved.sums["instrumental"] == ("drums", "bass", "other")
    assert resolved.sums["drumless"] == ("bass", "other", "vocals")
    assert resolved.sums["main"] == ("mixture",)
    assert resolved.sums["main_harmonic"] == ("harmonic",)


def test_a_recipe_without_its_stems_is_skipped_with_the_reason() -> None:
    """Silently leaving one out looks like a defect to the user."""
    resolved = resolve_recipes(ALL, {}, stems=TWO, parts=())
    assert resolved.sums["instrumental"] == ("accompaniment",)
    assert set(resolved.skipped) == {"drumless", "bassless", "main_harmonic", "main_percussive"}
    assert "drums" in resolved.skipped["drumless"]


def test_custom_sums() -> None:
    custom = {"rhythm": ("drums", "bass"), "strings": ("violin",)}
    resolved = resolve_recipes(["main"], custom, stems=FOUR, parts=())
    assert resolved.sums["rhythm"] == ("drums", "bass")
    assert "violin" in resolved.skipped["strings"]


def test_a_sum_with_the_name_of_a_stem_is_skipped() -> None:
    """Two outputs of one name would share a gain, and a picture."""
    resolved = resolve_recipes([], {"drums": ("bass",)}, stems=FOUR, parts=())
    assert resolved.sums == {}
    assert "already" in resolved.skipped["drums"]


def test_a_sum_of_nothing_is_skipped() -> None:
    """Vocals alone, without the residual, leave nothing for an instrumental."""
    resolved = resolve_recipes(["instrumental", "acapella"], {}, stems=("vocals",), parts=())
    assert resolved.sums == {"acapella": ("vocals",)}
    assert "No stem but vocals" in resolved.skipped["instrumental"]


def test_parts_are_missing_because_of_their_stage() -> None:
    resolved = resolve_recipes(["main_harmonic"], {}, stems=TWO, parts=())
    assert "harmonic_percussive" in resolved.skipped["main_harmonic"]


def check(
    defaults: ProcessingOptions | None = None, stems: tuple[str, ...] = TWO, **asked: Any
) -> None:
    options = ProcessingOptions.model_validate({**(defaults or DEFAULTS).model_dump(), **asked})
    check_composites(options, defaults or DEFAULTS, stems)


DEFAULTS = ProcessingOptions()


@pytest.mark.parametrize(
    ("asked", "field", "reason"),
    [
        ({"recipes": "main,drumless"}, "recipes", "does not separate drums"),
        ({"custom_recipes": "dub=drums+bass"}, "custom_recipes", "drums and bass"),
        ({"custom_recipes": "vocals=mixture"}, "custom_recipes", "delivered already"),
        (
            {"recipes": "main_harmonic", "stages": "composite,tempo"},
            "recipes",
            "harmonic_percussive",
        ),
    ],
)
def test_an_impossible_composite_that_was_asked_for_is_refused(
    asked: dict[str, Any], field: str, reason: str
) -> None:
    """The job ended without it, and the reason stood in the manifest alone."""
    with pytest.raises(InvalidOption, match=reason) as caught:
        check(**asked)
    assert caught.value.field == field
    assert "Possible are: main, " in caught.value.hint
    assert "acapella" in caught.value.hint


def test_defaults_are_made_as_far_as_possible() -> None:
    check()
    check(ProcessingOptions(recipes=("main", "bassless"), custom_recipes={"dub": ("drums",)}))
    check(recipes="main,acapella")
    check(stems=(), recipes="drumless")
    check(recipes="drumless", stages="tempo")
