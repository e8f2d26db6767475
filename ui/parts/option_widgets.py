"""Widgets for job options: kind and limits come from the option's field, words from this package.

Values live in `ui.kept`; an error of the API stands beside the option that it is about.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from annotated_types import Ge, Le, MaxLen

from stemcrate.schemas.options import ProcessingOptions
from ui.kept import kept, option_key
from ui.language import t
from ui.parts.option_words import CHOICES, HELP, LABELS
from ui.text import sentence_markdown


def ask_option(name: str, place: Any = st, *, choices: Iterable[str] = (), **settings: Any) -> None:
    """Ask for one option with the widget that fits its type, and keep the answer.

    Parameters
    ----------
    name : a field of `ProcessingOptions`.
    place : the part of the page to put it in.
    choices : what the installation offers, if that is less than the field allows.
    settings : further arguments of the widget, such as ``disabled`` or ``step``; ``horizontal``
        shows choices side by side instead of in a list.
    """
    field = ProcessingOptions.model_fields[name]
    kind = type(field.get_default(call_default_factory=True))
    limits: dict[type, Any] = {type(limit): limit for limit in field.metadata}
    if get_origin(field.annotation) is Literal:
        _ask_choice(name, list(choices) or list(get_args(field.annotation)), place, settings)
    elif kind is bool:
        _ask(name, place.checkbox, {"value": kept().options[name], **settings})
    elif kind in (int, float):
        low, high = kind(limits[Ge].ge), kind(limits[Le].le)
        value = kind(kept().options[name])
        limited = {"value": value, "min_value": low, "max_value": high, **settings}
        _ask(name, place.number_input, limited)
    else:
        most = limits[MaxLen].max_length if MaxLen in limits and kind is str else None
        value = kept().options[name]
        _ask(name, place.text_input, {"value": value, "max_chars": most, **settings})


def ask_several(
    name: str, offered: list[str], *, titles: Callable[[str], str], **settings: Any
) -> None:
    """Ask for several of the offered names."""
    kept().options[name] = [n for n in kept().options[name] if n in offered]
    _ask(
        name,
        st.pills,
        {
            "default": kept().options[name],
            "options": offered,
            "selection_mode": "multi",
            "format_func": titles,
            "wrap": True,
            **settings,
        },
    )


def _ask_choice(name: str, offered: list[str], place: Any, settings: dict[str, Any]) -> None:
    titles = CHOICES.get(name, {})
    if kept().options[name] not in offered:
        kept().options[name] = offered[0]
    settings = {
        "index": offered.index(kept().options[name]),
        "options": offered,
        "format_func": lambda choice: t(titles[choice]) if choice in titles else choice.upper(),
        **settings,
    }
    _ask(name, place.radio if settings.get("horizontal") else place.selectbox, settings)


def _ask(name: str, widget: Any, settings: dict[str, Any]) -> None:
    options = kept().options
    key = option_key(name)
    if "options" in settings:
        _drop_unoffered(key, settings["options"], options[name])
    settings = {"label": t(LABELS[name]), "help": t(HELP.get(name, "")) or None, **settings}
    value = widget(key=key, **settings)
    if value is not None:
        options[name] = value
    show_refusal_of(name)


def _drop_unoffered(key: str, offered: list[str], instead: object) -> None:
    """Replace an answer that is offered no more."""
    value = st.session_state.get(key)
    chosen = value if isinstance(value, list) else [value]
    if key in st.session_state and not set(chosen) <= set(offered):
        st.session_state[key] = instead


def show_refusal_of(name: str) -> None:
    """Show the API's refusal if it is about this option."""
    refusal = kept().refusal
    if refusal is not None and refusal.field == name:
        st.error(sentence_markdown(f"{refusal.message} {refusal.hint}".strip()))
