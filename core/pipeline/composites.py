"""Composite tracks as data: each recipe is a sum of stems.

A recipe that needs a stem the model does not provide is skipped; the manifest says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stemcrate.schemas.facts import MIXTURE


@dataclass(frozen=True, slots=True)
class Recipe:
    """A named sum.

    ``stems`` lists what is summed; None means every stem but ``without``.
    """

    name: str
    description: str
    stems: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()


RECIPES: tuple[Recipe, ...] = (
    # Not the sum of the stems, which lacks the residual.
    Recipe("main", "The whole mixture", stems=(MIXTURE,)),
    Recipe("main_harmonic", "The mixture's harmonic part", stems=("harmonic",)),
    Recipe("main_percussive", "The mixture's percussive part", stems=("percussive",)),
    Recipe("instrumental", "Everything but the vocals", without=("vocals",)),
    Recipe("acapella", "The vocals alone", stems=("vocals",)),
    Recipe("drumless", "Everything but the drums", without=("drums",)),
    Recipe("bassless", "Everything but the bass", without=("bass",)),
)


@dataclass(frozen=True, slots=True)
class ResolvedRecipes:
    """Which sources each composite sums, and why the others are skipped."""

    sums: dict[str, tuple[str, ...]]
    skipped: dict[str, str]


def resolve_recipes(
    wanted: Sequence[str],
    custom: Mapping[str, Sequence[str]],
    *,
    stems: Sequence[str],
    parts: Sequence[str],
) -> ResolvedRecipes:
    """Resolve recipes into sums of the available audio.

    Parameters
    ----------
    wanted : names of `RECIPES`; custom ones need not be repeated here.
    custom : the user's own sums, by name.
    stems : the stems of this track.
    parts : other available audio (``harmonic``, ``percussive``).
    """
    known = {recipe.name: recipe for recipe in RECIPES}
    known |= {
        name: Recipe(name, "Custom", stems=tuple(sources)) for name, sources in custom.items()
    }
    resolved = ResolvedRecipes({}, {})
    for name in dict.fromkeys([*wanted, *custom]):
        if name in (*stems, *parts):
            resolved.skipped[name] = f"'{name}' is delivered already, under this name."
            continue
        recipe = known[name]
        at_hand = (MIXTURE, *stems, *parts)
        missing = [s for s in (recipe.stems or recipe.without) if s not in at_hand]
        if missing:
            resolved.skipped[name] = f"The model does not separate {' and '.join(missing)}."
        elif recipe.stems is not None:
            resolved.sums[name] = recipe.stems
        else:
            resolved.sums[name] = tuple(s for s in stems if s not in recipe.without)
    return resolved
