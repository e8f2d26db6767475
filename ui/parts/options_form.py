"""The form of a job's options, as form fields of `POST /process`."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import streamlit as st

from stemcrate.schemas.configuration import Configuration
from stemcrate.schemas.options import ProcessingOptions
from ui.parts.model_choice import ask_model, show_models
from ui.parts.option_widgets import ask_option, title_of_option
from ui.parts.separation_form import ask_preset, ask_separation
from ui.text import title_of

CLIPPING_TITLES = {
    "rescale": "Lower all files by one gain",
    "none": "Write float files",
    "clamp": "Cut off",
}
NO_FLOAT = ("flac", "alac")
LOSSY = ("mp3", "m4a", "opus")
FORMAT_TITLES = {"m4a": "AAC (m4a)", "alac": "ALAC (m4a)", "opus": "Opus"}
DEPTH_TITLES = {"auto": "As source, min. 24", "32f": "32-bit float"}
NORMALIZATION_TITLES = {
    "common": "One gain per track",
    "per_track": "A gain per file",
    "off": "Off",
}


def ask_options(config: Configuration) -> dict[str, str]:
    """Ask for every option; return them as text, by their names in the API."""
    defaults = config.defaults
    left, right = st.columns(2, gap="large")
    with left:
        options = {"model": ask_model(config), "preset": ask_preset(defaults)}
    with right:
        options |= _ask_delivery(config)
    stages = _ask_several("stages", config.stages, defaults.stages)
    recipes = _ask_several(
        "recipes",
        [recipe.name for recipe in config.recipes],
        defaults.recipes,
        help="\n".join(
            f"- **{title_of(recipe.name)}**: {recipe.description}" for recipe in config.recipes
        ),
        disabled="composite" not in stages,
    )
    options |= {"stages": ",".join(stages), "recipes": ",".join(recipes)}
    options |= _ask_loudness(defaults, disabled="normalization" not in stages)
    left, right = st.columns(2, gap="large")
    options |= ask_option("name_template", defaults, left)
    options |= ask_option("playlist_name", defaults, right)
    with st.expander("Separation"):
        options |= ask_separation(config, options["model"])
    with st.expander("Advanced"):
        options |= _ask_others(defaults, options)
    with st.expander("Models and licences"):
        show_models(config)
    return options


def _ask_delivery(config: Configuration) -> dict[str, str]:
    first, second = st.columns(2)
    titles = {name: FORMAT_TITLES.get(name, name.upper()) for name in config.formats}
    options = ask_option("format", config.defaults, first, titles=titles, choices=config.formats)
    is_lossy = options["format"] in LOSSY
    depths = [d for d in config.bit_depths if d != "32f" or options["format"] not in NO_FLOAT]
    depth = ask_option(
        "bit_depth",
        config.defaults,
        second,
        titles={name: DEPTH_TITLES.get(name, f"{name}-bit") for name in depths},
        choices=depths,
        disabled=is_lossy,
        **({"help": "Formats that lose detail have no bit depth."} if is_lossy else {}),
    )
    return options if is_lossy else options | depth


def _ask_several(
    name: str,
    offered: Sequence[str],
    default: Sequence[str],
    *,
    help: str | None = None,
    disabled: bool = False,
) -> list[str]:
    chosen: list[str] = st.pills(
        title_of_option(name),
        offered,
        selection_mode="multi",
        default=[choice for choice in offered if choice in default],
        format_func=title_of,
        help=help,
        disabled=disabled,
        wrap=True,
    )
    return chosen


def _ask_loudness(defaults: ProcessingOptions, *, disabled: bool) -> dict[str, str]:
    left, right = st.columns(2, gap="large")
    chosen = left.segmented_control(
        title_of_option("normalization"),
        list(NORMALIZATION_TITLES),
        default=defaults.normalization,
        required=True,
        format_func=NORMALIZATION_TITLES.__getitem__,
        disabled=disabled,
        help=ProcessingOptions.model_fields["normalization"].description,
    )
    return {"normalization": str(chosen)} | ask_option(
        "target_lufs",
        defaults,
        right,
        step=0.5,
        format="%.1f",
        disabled=disabled or chosen == "off",
    )


def _ask_others(defaults: ProcessingOptions, asked: Mapping[str, str]) -> dict[str, str]:
    """Ask for every option without a dedicated widget."""
    options = ask_option("clipping", defaults, titles=CLIPPING_TITLES, horizontal=True)
    options |= ask_option("custom_recipes", defaults, placeholder="karaoke=drums+bass; dub=drums")
    elsewhere = {*asked, *options, "bit_depth"}  # which lossy formats do not have
    names = [name for name in ProcessingOptions.model_fields if name not in elsewhere]
    for name, column in zip(names, cycle(st.columns(3)), strict=False):
        options |= ask_option(name, defaults, column, **_ADVANCED.get(name, {}))
    return options


_ADVANCED: dict[str, Any] = {
    "hpss_kernel_size": {"step": 2},
    "hpss_margin_harmonic": {"step": 0.5, "format": "%.1f"},
    "hpss_margin_percussive": {"step": 0.5, "format": "%.1f"},
    "tempo_max_bpm": {"step": 1.0, "format": "%.0f"},
    "tempo_min_bpm": {"step": 1.0, "format": "%.0f"},
    "true_peak_ceiling_dbtp": {"step": 0.1, "format": "%.1f"},
}
