"""Read a job's options from text, and check what one field alone cannot show."""

import re
from collections.abc import Mapping
from typing import Any

from core.errors import InvalidOption, PluginFailed, UnsupportedFormat
from core.export.names import check_template
from core.system.validation import validate
from stemcrate.schemas.options import COMPOSITE_NAMES, OPTIONAL_STAGES, ProcessingOptions
from stemcrate.schemas.player import ORIGINAL

_RECIPE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def parse_options(values: Mapping[str, Any], base: ProcessingOptions) -> ProcessingOptions:
    """Read options as they come from a form or a command line, over the defaults in ``base``.

    Raises `InvalidOption` (or a subclass), whose ``field`` names the first option at fault.
    """
    try:
        options = validate(ProcessingOptions, {**base.model_dump(), **values})
    except InvalidOption as error:
        if error.field == "format":
            raise UnsupportedFormat(error.message, hint=error.hint, field="format") from error
        raise
    check_options(options)
    return options


def check_options(options: ProcessingOptions) -> None:
    """Check the name template, recipes, stages, and options that exclude each other.

    Raises `InvalidOption` (or a subclass), whose ``field`` names the option at fault.
    """
    check_template(options.name_template)
    if options.bit_depth == "32f" and options.format in ("flac", "alac"):
        raise UnsupportedFormat(
            f"{options.format} has no 32-bit float.",
            hint="Use bit_depth 24 or 16, or format wav.",
            field="bit_depth",
        )
    if options.tempo_max_bpm < 2 * options.tempo_min_bpm:
        raise InvalidOption(
            f"The tempo range {options.tempo_min_bpm:g}–{options.tempo_max_bpm:g} BPM is less than "
            "an octave.",
            hint="tempo_max_bpm must be at least twice tempo_min_bpm.",
            field="tempo_max_bpm",
        )
    _check_recipes(options)
    _check_stages(options)


def _check_recipes(options: ProcessingOptions) -> None:
    for name, sources in options.custom_recipes.items():
        if not _RECIPE_NAME.fullmatch(name) or not sources:
            raise InvalidOption(
                f"The recipe '{name}' is not usable.",
                hint="Write name=stem+stem, the name in a-z, 0-9, _ and -.",
                field="custom_recipes",
            )
        if name in (*COMPOSITE_NAMES, ORIGINAL):
            raise InvalidOption(
                f"The recipe '{name}' exists already.",
                hint="Give yours another name.",
                field="custom_recipes",
            )
    for name in options.recipes:
        if name not in (*COMPOSITE_NAMES, *options.custom_recipes):
            raise InvalidOption(
                f"There is no recipe '{name}'.",
                hint=f"Recipes: {', '.join(COMPOSITE_NAMES)}. Your own: custom_recipes.",
                field="recipes",
            )


def _check_stages(options: ProcessingOptions) -> None:
    if set(options.stages) <= set(OPTIONAL_STAGES):
        return
    from core.pipeline.order import STAGES, optional_stages

    for name in options.stages:
        if name in OPTIONAL_STAGES:
            continue
        if name not in STAGES.plugins():
            raise InvalidOption(
                f"There is no optional stage '{name}'.",
                hint=f"Stages: {', '.join(optional_stages())}.",
                field="stages",
            )
        try:
            STAGES.get(name)
        except PluginFailed as error:
            raise InvalidOption(error.message, hint=error.hint, field="stages") from error
