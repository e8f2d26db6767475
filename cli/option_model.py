"""Generates command options from the fields of a model of `stemcrate.schemas`.

A command takes one parameter, ``asked``, with the given options by field::

    @app.command()
    @with_options
    def search(asked: Annotated[Asked, OptionsOf(TrackSearch)], limit: Limit = 50) -> None:
        query = validate(TrackSearch, asked)

The field ``tempo_min_bpm`` becomes ``--tempo-min-bpm``; its description is the help, its choices
and limits are those of the option. Nothing is required: `core.system.validation.validate`
applies the given options over the command's defaults.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

import typer
from annotated_types import Ge, Le
from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

Asked: TypeAlias = dict[str, Any]
"""The options that were given, by the names of their fields."""


@dataclass(frozen=True, slots=True)
class OptionsOf:
    """Annotation of the parameter that stands for options.

    Parameters
    ----------
    model : each field becomes an option.
    only : names of the fields to use; empty: all.
    without : names of fields to leave out.
    """

    model: type[BaseModel]
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def fields(self) -> Iterator[tuple[str, FieldInfo]]:
        """Yield the fields that become options, by name."""
        for name, field in self.model.model_fields.items():
            if name not in self.without and (not self.only or name in self.only):
                yield name, field


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace each parameter annotated with `OptionsOf` by options that Typer understands."""
    hints = get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    groups: dict[str, list[str]] = {}
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        options = next((m for m in get_args(hint)[1:] if isinstance(m, OptionsOf)), None)
        if options is None:
            parameters.append(
                parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY)
            )
            continue
        groups[parameter.name] = [name for name, _ in options.fields()]
        parameters += [_parameter(name, field) for name, field in options.fields()]

    @functools.wraps(command)
    def call(**given: Any) -> None:
        for group, names in groups.items():
            values = {name: given.pop(name) for name in names}
            given[group] = {name: v for name, v in values.items() if v is not None and v != []}
        command(**given)

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def help_of(field: FieldInfo) -> str:
    """Return a field's description, with the choices of a list."""
    text = field.description or ""
    if isinstance(field.default, tuple) and field.default:
        text += f" Any of {', '.join(f'`{name}`' for name in field.default)}."
    return text


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    limits: dict[str, Any] = {}
    for limit in field.metadata:
        if isinstance(limit, Ge):
            limits["min"] = limit.ge
        elif isinstance(limit, Le):
            limits["max"] = limit.le
    taken = _taken_as(field)
    option = typer.Option(
        help=help_of(field),
        show_default=_show(field.default) if not field.is_required() else False,
        **(limits if taken in (int, float) else {}),
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[taken | None, option],
    )


def _taken_as(field: FieldInfo) -> Any:
    """Choose Typer's type: a number, a choice, a flag, several values, or text."""
    if any(isinstance(item, BeforeValidator) for item in field.metadata):
        return str  # it parses text itself
    kind = field.annotation
    if get_origin(kind) in (Union, UnionType):
        kinds = [part for part in get_args(kind) if part is not NoneType]
        kind = kinds[0] if len(kinds) == 1 else str
    if get_origin(kind) in (list, tuple):
        return list[str]
    is_plain = get_origin(kind) is Literal or (isinstance(kind, type) and kind is not str)
    return kind if is_plain else str


def _show(default: object) -> str | bool:
    """Format a default as one types it; the description covers lists and empty values."""
    if isinstance(default, bool):
        return str(default).lower()
    return (
        str(default) if isinstance(default, str | int | float | Path) and default != "" else False
    )
