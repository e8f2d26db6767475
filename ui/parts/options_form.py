"""The options of a job: what is wanted, the quality, and everything else behind one click."""

from itertools import cycle
from typing import Any

import streamlit as st

from stemcrate.schemas.configuration import Configuration
from stemcrate.schemas.options import NO_MODEL, ProcessingOptions
from ui.kept import kept, option_key
from ui.language import t
from ui.parts.model_choice import ask_model, ask_partners
from ui.parts.option_widgets import ask_option, ask_several, show_refusal_of
from ui.parts.option_words import CHOICES, HELP, LABELS, STAGES
from ui.text import title_of
from ui.wishes import AUTO, WISHES, options_of, possible_recipes

WISH = "wish"
NO_FLOAT = ("flac", "alac")
LOSSY = ("mp3", "m4a", "opus")
_TITLES = {wish.name: wish.title for wish in WISHES}


def ask_wish(config: Configuration) -> None:
    """Ask what is wanted; a new answer sets all options."""
    state = kept()
    if not state.options:
        take_options(options_of(state.wish, config))
    chosen = st.radio(
        t("What do you want?"),
        list(_TITLES),
        list(_TITLES).index(state.wish),
        format_func=lambda name: t(_TITLES[name]),
        captions=[t(wish.caption) for wish in WISHES],
        key=WISH,
    )
    if chosen != state.wish:
        state.wish = str(chosen)
        take_options(options_of(state.wish, config))


def take_options(options: ProcessingOptions) -> None:
    """Let the form start from these options."""
    state = kept()
    if state.options:
        state.turn += 1
    state.options = to_widgets(options)
    state.refusal = None


def ask_quality() -> None:
    """Ask for the preset."""
    options = kept().options
    chosen = st.segmented_control(
        t(LABELS["preset"]),
        list(CHOICES["preset"]),
        default=options["preset"],
        required=True,
        format_func=lambda name: t(CHOICES["preset"][name]),
        help=t(HELP["preset"]),
        disabled=options["model"] == NO_MODEL,
        width="stretch",
        key=option_key("preset"),
    )
    options["preset"] = str(chosen)
    show_refusal_of("preset")


def ask_more(config: Configuration) -> None:
    """Ask for all other options."""
    options = kept().options
    refusal = kept().refusal
    is_refused = refusal is not None and refusal.field in options
    with st.expander(t("More options"), expanded=is_refused, icon=":material/tune:"):
        if options["model"] != NO_MODEL:
            _ask_separation(config)
            _ask_files(config)
        _ask_contents(config)
        _ask_details(config)


def _ask_separation(config: Configuration) -> None:
    first, second = st.columns(2, gap="large")
    with first:
        ask_model(config)
    ask_option("stems", second, placeholder="vocals")


def _ask_files(config: Configuration) -> None:
    options = kept().options
    first, second, third = st.columns(3)
    ask_option("format", first, choices=config.formats)
    is_lossy = options["format"] in LOSSY
    depths = [d for d in config.bit_depths if d != "32f" or options["format"] not in NO_FLOAT]
    ask_option("bit_depth", second, choices=depths, disabled=is_lossy)
    has_loudness = "normalization" in options["stages"]
    ask_option("normalization", third, disabled=not has_loudness)
    first, second = st.columns(2)
    ask_option("name_template", first)
    ask_option("target_lufs", second, step=0.5, format="%.1f", disabled=not has_loudness)


def _ask_contents(config: Configuration) -> None:
    options = kept().options
    ask_several("stages", config.stages, titles=lambda name: t(STAGES.get(name, title_of(name))))
    if options["model"] == NO_MODEL or "composite" not in options["stages"]:
        return
    offered = possible_recipes(config, options["model"], options["stages"])
    ask_several(
        "recipes",
        [recipe.name for recipe in offered],
        titles=title_of,
        help="\n".join(f"- **{title_of(r.name)}**: {r.description}" for r in offered),
    )
    ask_option("custom_recipes", placeholder="karaoke=drums+bass; dub=drums")


def _ask_details(config: Configuration) -> None:
    """Ask for every option that has no place above."""
    options = kept().options
    asked = {"model", "preset", "stems", "format", "bit_depth", "normalization", "name_template"}
    asked |= {"target_lufs", "stages", "recipes", "custom_recipes"}
    if options["model"] == NO_MODEL:
        names = ["tempo_min_bpm", "tempo_max_bpm", "playlist_name"]
    else:
        st.markdown(f"**{t('For the particular')}**")
        ask_partners(config)
        ask_option("residual", horizontal=True)
        ask_option("clipping", horizontal=True)
        asked |= {"residual", "clipping"}
        asked |= set() if "+" in options["model"] else {"ensemble", "ensemble_weights"}
        names = [name for name in ProcessingOptions.model_fields if name not in asked]
    columns = st.columns(3, vertical_alignment="bottom")
    for name, column in zip(names, cycle(columns), strict=False):
        ask_option(name, column, **_STEPS.get(name, {}))


def to_widgets(options: ProcessingOptions) -> dict[str, Any]:
    """Return options as the values of their widgets: lists of names, and text for the rest."""
    values = options.model_dump()
    for name in ("stages", "recipes"):
        values[name] = list(values[name])
    for name in ("stems", "ensemble_weights"):
        values[name] = ",".join(map(str, values[name]))
    recipes = values["custom_recipes"].items()
    values["custom_recipes"] = "; ".join(f"{name}={'+'.join(stems)}" for name, stems in recipes)
    return values


def to_fields() -> dict[str, Any]:
    """Return the kept options as fields of `POST /process`."""
    options = dict(kept().options)
    if options["format"] in LOSSY:
        del options["bit_depth"]
    if options["model"] in (AUTO, NO_MODEL) or "+" not in options["model"]:
        options["ensemble_weights"] = ""
    return options


_STEPS: dict[str, Any] = {
    "hpss_kernel_size": {"step": 2},
    "hpss_margin_harmonic": {"step": 0.5, "format": "%.1f"},
    "hpss_margin_percussive": {"step": 0.5, "format": "%.1f"},
    "tempo_max_bpm": {"step": 1.0, "format": "%.0f"},
    "tempo_min_bpm": {"step": 1.0, "format": "%.0f"},
    "true_peak_ceiling_dbtp": {"step": 0.1, "format": "%.1f"},
}
