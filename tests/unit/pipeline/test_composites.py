"""Recipes: sums of what the model gives, with a reason where it doesn't."""

from core.pipeline.composites import RECIPES, resolve_recipes

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
