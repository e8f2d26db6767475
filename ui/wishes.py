"""What people come for, as options of a job."""

from collections.abc import Collection
from dataclasses import dataclass

from stemcrate.schemas.configuration import Configuration, RecipeInfo
from stemcrate.schemas.facts import ANALYSIS_STAGES
from stemcrate.schemas.options import NO_MODEL, ProcessingOptions
from ui.language import mark

AUTO = "auto"
PARTS = ("harmonic", "percussive")
"""What the stage ``harmonic_percussive`` makes."""
WHOLE = "main"
MADE = ("composite", "normalization", "waveform", "playlist")
"""Stages that deliver something besides the stems, and that jobs of all kinds want."""
MIXES = ("instrumental", "acapella", "drumless", "bassless")


@dataclass(frozen=True, slots=True)
class Wish:
    """A kind of job. ``title`` and ``caption`` are its words on the screen."""

    name: str
    title: str
    caption: str


WISHES = (
    Wish("stems", mark("Stems"), mark("Vocals, drums, bass and the rest as files")),
    Wish("vocals", mark("Vocals and instrumental"), mark("Two files that add up to the song")),
    Wish("karaoke", mark("Karaoke"), mark("The song without its vocals, at full loudness")),
    Wish("dj_pack", mark("DJ pack"), mark("Stems, extra mixes, beat grid, key and a set, as FLAC")),
    Wish("analysis", mark("Analysis only"), mark("BPM, key, energy and structure; no new files")),
)
"""All kinds of jobs, the usual one first."""


def options_of(wish: str, config: Configuration) -> ProcessingOptions:
    """Return the options of a kind of job, over the installation's defaults."""
    defaults = ProcessingOptions.model_validate(
        config.defaults.model_dump(include=set(ProcessingOptions.model_fields))
    )
    analysis = tuple(s for s in ANALYSIS_STAGES if s in config.stages)
    made = tuple(s for s in MADE if s in config.stages)
    changes: dict[str, object] = {"stages": (*made, *analysis), "recipes": (WHOLE,)}
    match wish:
        case "vocals":
            changes |= {"stems": ("vocals",)}
        case "karaoke":
            # Nobody mixes a set of backing tracks, which have to be as loud as songs.
            stages = tuple(s for s in (*made, *analysis) if s not in ("composite", "playlist"))
            loud = {"normalization": "per_track"}
            changes |= {"stems": ("vocals",), "stages": stages, "recipes": (), **loud}
        case "dj_pack":
            possible = possible_recipes(config, defaults.model, made)
            mixes = tuple(recipe.name for recipe in possible if recipe.name in MIXES)
            formats = {"format": "flac"} if "flac" in config.formats else {}
            changes |= {"recipes": (WHOLE, *mixes), **formats}
        case "analysis":
            stages = tuple(s for s in ("playlist", *analysis) if s in config.stages)
            changes = {"model": NO_MODEL, "stages": stages, "recipes": ()}
    return ProcessingOptions.model_validate({**defaults.model_dump(), **changes})


def stems_of(model: str, config: Configuration) -> list[str]:
    """Return the stems of a model, of ``auto`` those of its choice; empty if not known."""
    wanted = config.model.resolved if model == AUTO else model
    return next((m.stems for m in config.models if m.name == wanted), [])


def possible_recipes(
    config: Configuration, model: str, stages: Collection[str]
) -> list[RecipeInfo]:
    """Return the composites that a model and the stages can make; all if that is not known."""
    stems = stems_of(model, config)
    if not stems:
        return config.recipes
    parts = PARTS if "harmonic_percussive" in stages else ()
    return [recipe for recipe in config.recipes if recipe.is_possible({*stems, *parts})]
