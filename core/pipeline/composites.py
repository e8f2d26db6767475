"""Composite tracks as data: each recipe is a sum of stems.

A recipe that needs a stem the model does not provide is skipped; the manifest says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import InvalidOption
from core.pipeline.results import HarmonicPercussiveResult
from stemcrate.schemas.facts import MIXTURE
from stemcrate.schemas.options import COMPOSITE_NAMES, ProcessingOptions


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


PARTS = ("harmonic", "percussive")
"""What the stage ``harmonic_percussive`` makes of the mixture."""


@dataclass(frozen=True, slots=True)
class ResolvedRecipes:
    """Which sources each composite sums, and why the others are skipped."""

    sums: dict[str, tuple[str, ...]]
    skipped: dict[str, str]


def check_composites(
    options: ProcessingOptions, defaults: ProcessingOptions, stems: Sequence[str]
) -> None:
    """Refuse a composite that was asked for and that the job cannot make.

    Composites of the defaults are made where that is possible.

    Parameters
    ----------
    defaults : options of a job that asks for nothing.
    stems : that the job will have; empty if they are not known.

    Raises
    ------
    InvalidOption : with the reason, and the composites that are possible.
    """
    if not stems or "composite" not in options.stages:
        return
    parts = PARTS if HarmonicPercussiveResult.stage in options.stages else ()
    resolved = resolve_recipes(options.recipes, options.custom_recipes, stems=stems, parts=parts)
    custom = {n for n, s in options.custom_recipes.items() if defaults.custom_recipes.get(n) != s}
    chosen = set(options.recipes) if options.recipes != defaults.recipes else set()
    possible = resolve_recipes(COMPOSITE_NAMES, {}, stems=stems, parts=parts)
    for name, reason in resolved.skipped.items():
        if name in custom or (name in chosen and name not in stems):
            raise InvalidOption(
                f"The composite '{name}' cannot be made. {reason}",
                hint=f"Possible are: {', '.join(possible.sums)}.",
                field="custom_recipes" if name in options.custom_recipes else "recipes",
            )


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
        if missing and set(missing) <= set(PARTS):
            resolved.skipped[name] = "The stage harmonic_percussive did not run."
        elif missing:
            resolved.skipped[name] = f"The model does not separate {' and '.join(missing)}."
        elif recipe.stems is not None:
            resolved.sums[name] = recipe.stems
        elif rest := tuple(s for s in stems if s not in recipe.without):
            resolved.sums[name] = rest
        else:
            resolved.skipped[name] = f"No stem but {' and '.join(recipe.without)} is separated."
    return resolved
