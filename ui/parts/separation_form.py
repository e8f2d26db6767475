"""How to separate: the preset, and what goes beyond it."""

from typing import Any

import streamlit as st

from stemcrate.schemas.configuration import Configuration

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


def ask_preset(defaults: dict[str, Any]) -> str:
    """Ask how much work the separation is worth."""
    return str(
        st.segmented_control(
            "Quality",
            list(PRESET_TITLES),
            default=defaults["preset"],
            required=True,
            format_func=PRESET_TITLES.__getitem__,
            help="Fast overlaps less (with model auto: Spleeter); best averages two passes (with "
            "model auto: htdemucs_ft, where its weights are) and takes twice as long.",
        )
    )


def ask_separation(config: Configuration, model: str) -> dict[str, str]:
    """Ask for everything beyond the preset; ``model`` is the one that was chosen."""
    defaults = config.defaults
    wanted = st.text_input(
        "Stems wanted",
        placeholder="vocals",
        help="Separated by commas; empty: all. The others are delivered together, and what only "
        "they need is not computed.",
    )
    residual = st.radio(
        "Residual",
        list(RESIDUAL_TITLES),
        index=list(RESIDUAL_TITLES).index(defaults["residual"]),
        format_func=RESIDUAL_TITLES.__getitem__,
        horizontal=True,
        help="What is left of the mixture after all stems. Folded in or kept, the stems add up "
        "to the song sample for sample; left out, they do not.",
    )
    first, second, third = st.columns(3, vertical_alignment="bottom")
    shifts = first.number_input(
        "Shifted passes",
        0,
        10,
        int(defaults["shifts"]),
        help="Averaged; each costs one separation. 0 leaves it to the quality above.",
    )
    augment = second.checkbox("Swap and invert too (+2 passes)", value=bool(defaults["augment"]))
    wiener = third.checkbox("Wiener filter", value=bool(defaults["wiener"]))
    return {
        "stems": wanted,
        "residual": residual,
        "shifts": str(shifts or 0),
        "augment": str(augment).lower(),
        "wiener": str(wiener).lower(),
        **_ask_ensemble(config, model),
    }


def _ask_ensemble(config: Configuration, model: str) -> dict[str, str]:
    others = [m.name for m in config.models if m.available and m.name != model]
    first, second, third = st.columns(3)
    partners = first.multiselect(
        "Together with",
        others,
        disabled=model == "auto",
        help="An ensemble of models that give the same stems; choose a model by name first.",
    )
    combination = second.selectbox(
        "Put together by", list(ENSEMBLE_TITLES), format_func=ENSEMBLE_TITLES.__getitem__
    )
    weights = third.text_input(
        "Weights", placeholder="2,1", help="Of the models in their average, in this order."
    )
    return {
        "model": "+".join([model, *partners]),
        "ensemble": combination,
        "ensemble_weights": weights,
    }
