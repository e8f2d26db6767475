"""Models: the choice, its partners in an ensemble, and what each is."""

import streamlit as st

from stemcrate.schemas.configuration import Configuration, ModelInfo
from ui.kept import kept, option_key
from ui.language import counted, t
from ui.parts.markup import show_html, table
from ui.parts.option_widgets import show_refusal_of
from ui.parts.option_words import CHOICES, LABELS
from ui.parts.weights import is_fetched
from ui.text import UNKNOWN, escape_html, escape_markdown, sentence_markdown, size, title_of
from ui.wishes import AUTO


def ask_model(config: Configuration) -> None:
    """Ask for the model."""
    options = kept().options
    first, *partners = options["model"].split("+")
    models = {model.name: model for model in config.models}
    names = list(dict.fromkeys([AUTO, *models, first]))
    names.sort(key=lambda name: name != AUTO and not _is_available(models.get(name)))
    chosen: str = st.selectbox(
        t(LABELS["model"]),
        names,
        names.index(first),
        format_func=lambda name: describe_choice(name, config),
        key=option_key("model"),
    )
    options["model"] = "+".join([chosen, *(p for p in partners if p != chosen and chosen != AUTO)])
    if chosen == AUTO:
        st.caption(sentence_markdown(config.model.reason))
    elif (model := models.get(chosen)) is not None:
        st.caption(escape_markdown(f"{model.description} {t('Licence')}: {model.licence}"))
        if not model.available:
            st.warning(
                t("The weights of {name} are not on this machine.", name=escape_markdown(chosen))
                + f" {_what_to_do(model)}",
                icon=":material/download:",
            )
    show_refusal_of("model")


def ask_partners(config: Configuration) -> None:
    """Ask for models that work together with the chosen one."""
    options = kept().options
    first, *partners = options["model"].split("+")
    others = [m.name for m in config.models if m.available and m.name != first]
    chosen: list[str] = st.multiselect(
        t("Together with"),
        others,
        [p for p in partners if p in others],
        disabled=first == AUTO,
        help=t("Models that give the same stems; choose one by name first."),
        key=option_key("partners"),
    )
    options["model"] = "+".join([first, *([] if first == AUTO else chosen)])


def show_models(config: Configuration) -> None:
    """Show all models with stems, state, need of memory, speed and licence."""
    rows = [
        [
            escape_html(model.name),
            escape_html(", ".join(map(title_of, model.stems)) or t("Known when it has run")),
            _describe_state(model),
            escape_html(UNKNOWN if model.memory_bytes is None else size(model.memory_bytes)),
            escape_html(describe_speed(model)),
            escape_html(model.licence),
        ]
        for model in config.models
    ]
    header = [
        t("Model"),
        t("Stems"),
        t("State"),
        t("Memory"),
        t("Speed here"),
        t("Licence"),
    ]
    show_html(table(header, rows))


def _describe_state(model: ModelInfo) -> str:
    if model.available:
        return t("Ready")
    return t("Being fetched") if is_fetched(model) else t("Weights not here")


def _what_to_do(model: ModelInfo) -> str:
    """Say how to get the weights of a model, for Markdown."""
    if model.can_fetch:
        return t("Fetch them on this page, under Models.")
    return sentence_markdown(model.hint)


def describe_speed(model: ModelInfo) -> str:
    """Describe how fast a model was on this installation, by quality."""
    measured = [
        t("{quality}: {factor} × real time", quality=t(CHOICES["preset"].get(name, name)), factor=f)
        for name, f in model.realtime_factors.items()
    ]
    return ", ".join(measured) or UNKNOWN


def describe_choice(name: str, config: Configuration) -> str:
    """Describe a model in one line."""
    if name == AUTO:
        return f"auto → {config.model.resolved or t('no model is available')}"
    model = next((model for model in config.models if model.name == name), None)
    if model is None:
        return name
    parts = [name]
    if model.stems:
        parts.append(counted(len(model.stems), "{n} stem", "{n} stems"))
    if not model.available:
        parts.append(t("weights not here"))
    return " · ".join(parts)


def _is_available(model: ModelInfo | None) -> bool:
    return model is not None and model.available
