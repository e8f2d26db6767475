"""Model selection: available models, the choice of ``auto`` with its reason, and licences."""

import streamlit as st

from stemcrate.schemas.configuration import Configuration, ModelInfo
from ui.parts.markup import show_html, table
from ui.text import escape_html, escape_markdown, sentence_markdown, title_of

AUTO = "auto"


def ask_model(config: Configuration) -> str:
    """Ask for the model; return its name."""
    models = {model.name: model for model in config.models}
    names = list(dict.fromkeys([AUTO, *models, config.defaults.model]))
    names.sort(key=lambda name: name != AUTO and not _is_available(models.get(name)))
    chosen: str = st.selectbox(
        "Model",
        names,
        index=names.index(config.defaults.model),
        format_func=lambda name: describe_choice(name, config),
    )
    if chosen == AUTO:
        st.caption(sentence_markdown(config.model.reason))
    elif (model := models.get(chosen)) is not None:
        st.caption(escape_markdown(f"{model.description} Licence: {model.licence}"))
        if not model.available:
            st.warning(
                f"The weights of {escape_markdown(chosen)} are missing. "
                f"`stemcrate models fetch {chosen}` downloads them on a worker's machine.",
                icon=":material/download:",
            )
    return chosen


def show_models(config: Configuration) -> None:
    """Show all models with stems, licences and availability."""
    rows = [
        [
            escape_html(model.name),
            escape_html(", ".join(map(title_of, model.stems)) or "Known when it has run"),
            "Ready" if model.available else "Weights not here",
            escape_html(model.licence),
        ]
        for model in config.models
    ]
    show_html(table(["Model", "Stems", "State", "Licence"], rows))


def describe_choice(name: str, config: Configuration) -> str:
    """Describe a model in one line."""
    if name == AUTO:
        return f"auto → {config.model.resolved or 'no model is available'}"
    model = next((model for model in config.models if model.name == name), None)
    if model is None:
        return name
    parts = [name]
    if model.stems:
        parts.append(f"{len(model.stems)} stems")
    if not model.available:
        parts.append("weights not here")
    return " · ".join(parts)


def _is_available(model: ModelInfo | None) -> bool:
    return model is not None and model.available
