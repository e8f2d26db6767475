"""Options of separation: the preset and everything beyond it."""

import streamlit as st

from stemcrate.schemas.configuration import Configuration
from stemcrate.schemas.options import ProcessingOptions
from ui.parts.option_widgets import ask_option, title_of_option

PRESET_TITLES = {"fast": "Fast", "balanced": "Balanced", "best": "Best"}
ENSEMBLE_TITLES = {
    "average": "Average",
    "min_spectrum": "Least of their spectra",
    "max_spectrum": "Most of their spectra",
}
RESIDUAL_TITLES = {
    "fold": "Fold into other / accompaniment",
    "keep": "Keep as a stem",
    "off": "Leave out",
}


def ask_preset(defaults: ProcessingOptions) -> str:
    """Ask for the preset."""
    return str(
        st.segmented_control(
            title_of_option("preset"),
            list(PRESET_TITLES),
            default=defaults.preset,
            required=True,
            format_func=PRESET_TITLES.__getitem__,
            help=ProcessingOptions.model_fields["preset"].description,
        )
    )


def ask_separation(config: Configuration, model: str) -> dict[str, str]:
    """Ask for everything beyond the preset; ``model`` is the chosen one."""
    defaults = config.defaults
    options = ask_option("stems", defaults, placeholder="vocals")
    options |= ask_option("residual", defaults, titles=RESIDUAL_TITLES, horizontal=True)
    columns = st.columns(3, vertical_alignment="bottom")
    for name, column in zip(("shifts", "augment", "wiener"), columns, strict=True):
        options |= ask_option(name, defaults, column)
    return options | _ask_ensemble(config, model)


def _ask_ensemble(config: Configuration, model: str) -> dict[str, str]:
    others = [m.name for m in config.models if m.available and m.name != model]
    first, second, third = st.columns(3)
    partners = first.multiselect(
        "Together with",
        others,
        disabled=model == "auto",
        help="An ensemble of models that give the same stems; choose a model by name first.",
    )
    return {
        "model": "+".join([model, *partners]),
        **ask_option("ensemble", config.defaults, second, titles=ENSEMBLE_TITLES),
        **ask_option("ensemble_weights", config.defaults, third, placeholder="2,1"),
    }
