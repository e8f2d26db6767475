"""What to make of the files: a job's options, as the form fields of `POST /process`."""

from typing import Any

import streamlit as st

from stemcrate.schemas.configuration import Configuration
from ui.parts.model_choice import ask_model, show_models
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
    """Ask for every option; give them as text, by their names in the API."""
    defaults = config.defaults
    left, right = st.columns(2, gap="large")
    with left:
        options = {"model": ask_model(config), "preset": ask_preset(defaults)}
    with right:
        options |= _ask_delivery(config)
    stages = _ask_several("Stages", config.stages, defaults["stages"])
    recipes = _ask_several(
        "Composites",
        [recipe.name for recipe in config.recipes],
        defaults["recipes"],
        help="\n".join(
            f"- **{title_of(recipe.name)}**: {recipe.description}" for recipe in config.recipes
        ),
        disabled="composite" not in stages,
    )
    options |= {"stages": ",".join(stages), "recipes": ",".join(recipes)}
    options |= _ask_loudness(defaults, disabled="normalization" not in stages)
    options |= _ask_names(defaults)
    with st.expander("Separation"):
        options |= ask_separation(config, options["model"])
    with st.expander("Advanced"):
        options |= _ask_advanced(defaults)
    with st.expander("Models and licences"):
        show_models(config)
    return options


def _ask_delivery(config: Configuration) -> dict[str, str]:
    defaults = config.defaults
    first, second = st.columns(2)
    chosen: str = first.selectbox(
        "Format",
        config.formats,
        index=config.formats.index(defaults["format"]),
        format_func=lambda name: FORMAT_TITLES.get(name, name.upper()),
    )
    depths = [d for d in config.bit_depths if d != "32f" or chosen not in NO_FLOAT]
    default = defaults["bit_depth"] if defaults["bit_depth"] in depths else depths[0]
    depth: str = second.selectbox(
        "Bit depth",
        depths,
        index=depths.index(default),
        format_func=lambda name: DEPTH_TITLES.get(name, f"{name}-bit"),
        disabled=chosen in LOSSY,
        help="Formats that lose detail have no bit depth." if chosen in LOSSY else None,
    )
    return {"format": chosen} | ({} if chosen in LOSSY else {"bit_depth": depth})


def _ask_several(
    label: str,
    names: list[str],
    default: list[str],
    *,
    help: str | None = None,
    disabled: bool = False,
) -> list[str]:
    chosen: list[str] = st.pills(
        label,
        names,
        selection_mode="multi",
        default=[name for name in names if name in default],
        format_func=title_of,
        help=help,
        disabled=disabled,
        wrap=True,
    )
    return chosen


def _ask_loudness(defaults: dict[str, Any], *, disabled: bool) -> dict[str, str]:
    left, right = st.columns(2, gap="large")
    names = list(NORMALIZATION_TITLES)
    chosen = left.segmented_control(
        "Normalization",
        names,
        default=defaults["normalization"],
        required=True,
        format_func=NORMALIZATION_TITLES.__getitem__,
        disabled=disabled,
        help="One gain per track, measured on the mixture, keeps the stems' sum equal to the song.",
    )
    target = right.number_input(
        "Target loudness (LUFS)",
        min_value=-60.0,
        max_value=0.0,
        value=float(defaults["target_lufs"]),
        step=0.5,
        format="%.1f",
        disabled=disabled or chosen == "off",
    )
    options = {"normalization": str(chosen)}
    return options if target is None else options | {"target_lufs": f"{target:g}"}


def _ask_names(defaults: dict[str, Any]) -> dict[str, str]:
    left, right = st.columns(2, gap="large")
    template = left.text_input(
        "File names",
        value=str(defaults["name_template"]),
        max_chars=200,
        help="Fields: `{artist}` `{title}` `{stem}` `{bpm}` `{key}` `{camelot}` "
        "`{track_number}` `{album}`",
    )
    playlist = right.text_input(
        "Playlist name", value=str(defaults["playlist_name"]), max_chars=120
    )
    return {"name_template": template, "playlist_name": playlist}


def _ask_advanced(defaults: dict[str, Any]) -> dict[str, str]:
    clipping = st.radio(
        "Beyond full scale",
        list(CLIPPING_TITLES),
        index=list(CLIPPING_TITLES).index(defaults["clipping"]),
        format_func=CLIPPING_TITLES.__getitem__,
        horizontal=True,
        help="What happens where a 16- or 24-bit file would clip.",
    )
    custom = st.text_input(
        "Composites of your own",
        placeholder="karaoke=drums+bass; dub=drums",
        help="`name=stem+stem`, several separated by semicolons.",
    )
    columns = st.columns(3)
    values = {
        name: column.number_input(label, low, high, type(low)(defaults[name]), step, written)
        for column, (name, label, low, high, step, written) in zip(
            [*columns, *columns], _ADVANCED_NUMBERS, strict=True
        )
    }
    # A field that was emptied is not sent: the API's default holds.
    numbers = {name: f"{value:g}" for name, value in values.items() if value is not None}
    return {"clipping": clipping, "custom_recipes": custom, **numbers}


_ADVANCED_NUMBERS = (
    ("true_peak_ceiling_dbtp", "True-peak ceiling (dBTP)", -60.0, 0.0, 0.1, "%.1f"),
    ("tempo_min_bpm", "Slowest tempo (BPM)", 20.0, 300.0, 1.0, "%.0f"),
    ("tempo_max_bpm", "Fastest tempo (BPM)", 40.0, 400.0, 1.0, "%.0f"),
    ("hpss_kernel_size", "Harmonic / percussive kernel", 3, 255, 2, "%d"),
    ("hpss_margin_harmonic", "Margin, harmonic", 1.0, 20.0, 0.5, "%.1f"),
    ("hpss_margin_percussive", "Margin, percussive", 1.0, 20.0, 0.5, "%.1f"),
)
