"""Widgets for job options: title, help, choices, limits and kind come from the option's field."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from annotated_types import Ge, Le, MaxLen

from stemcrate.schemas.options import ProcessingOptions

_NO_TITLES: Mapping[str, str] = MappingProxyType({})


def ask_option(
    name: str,
    defaults: ProcessingOptions,
    place: Any = st,
    *,
    titles: Mapping[str, str] = _NO_TITLES,
    choices: Iterable[str] = (),
    **settings: Any,
) -> dict[str, str]:
    """Ask for one option with the widget that fits its type.

    Parameters
    ----------
    name : a field of `ProcessingOptions`.
    defaults : initial values of widgets.
    place : the part of the page to put it in.
    titles : labels of choices; others show their value.
    choices : what the installation offers, if that is less than the field allows.
    settings : further arguments of the widget, such as ``disabled`` or ``step``; ``horizontal``
        shows choices side by side instead of in a list.

    Returns
    -------
    The option as text, by its name; nothing for an emptied number: the API's default applies.
    """
    field = ProcessingOptions.model_fields[name]
    settings = {"label": title_of_option(name), "help": field.description, **settings}
    value = getattr(defaults, name)
    if get_origin(field.annotation) is Literal:
        offered = list(choices) or list(get_args(field.annotation))
        index = offered.index(value) if value in offered else 0
        settings["format_func"] = lambda choice: titles.get(choice, choice)
        choose = place.radio if settings.get("horizontal") else place.selectbox
        return {name: str(choose(options=offered, index=index, **settings))}
    if isinstance(value, bool):
        return {name: str(place.checkbox(value=value, **settings)).lower()}
    limits: dict[type, Any] = {type(limit): limit for limit in field.metadata}
    if isinstance(value, int | float):
        kind = type(value)
        low, high = kind(limits[Ge].ge), kind(limits[Le].le)
        number = place.number_input(min_value=low, max_value=high, value=value, **settings)
        return {} if number is None else {name: f"{number:g}"}
    if isinstance(value, str):
        most = limits[MaxLen].max_length if MaxLen in limits else None
        return {name: place.text_input(value=value, max_chars=most, **settings)}
    return {name: place.text_input(**settings)}


def title_of_option(name: str) -> str:
    """Return the title of an option's field, or its name as a sentence."""
    return ProcessingOptions.model_fields[name].title or name.replace("_", " ").capitalize()
