"""Write what the documentation repeats from the code: options, settings, commands.

``docs/cli.md`` and ``.env.example`` are written whole; in other files only what stands between
``<!-- generated: NAME -->`` and ``<!-- end -->``. With ``--check`` nothing is written, and the exit
code is 1 where a file is out of date.
"""

import re
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer
from annotated_types import Ge, Le, MaxLen
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from typer.cli import get_docs_for_click
from typer.main import get_command

from cli.main import app
from cli.option_model import help_of
from config import Settings
from core.separation.families.catalogue import FAMILIES
from stemcrate.schemas.facts import GROUPS
from stemcrate.schemas.options import ProcessingOptions
from stemcrate.schemas.renders import MixRequest, TransitionRequest
from stemcrate.schemas.search import TrackQuery

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
_SECTION = re.compile(r"^# --- (.+) ---$", re.MULTILINE)
_WIDTH = 100
_WITH_TABLES = ("api", "installation", "models", "analysis", "renders")


def main() -> None:
    """Write the files, or check them."""
    is_check = sys.argv[1:] == ["--check"]
    stale = [path for path, text in generate() if path.read_text(encoding="utf-8") != text]
    if is_check and stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.exit(f"Out of date: {names}. Run 'make docs'.")
    for path, text in generate():
        if path in stale:
            path.write_text(text, encoding="utf-8")
            print(f"{path.relative_to(ROOT)} written")


def generate() -> Iterator[tuple[Path, str]]:
    """Yield each file that holds generated text, and what it should hold."""
    yield ROOT / ".env.example", write_env((ROOT / ".env.example").read_text(encoding="utf-8"))
    yield ROOT / "docs/cli.md", write_commands()
    for name in _WITH_TABLES:
        path = ROOT / "docs" / f"{name}.md"
        text = path.read_text(encoding="utf-8")
        yield path, _BLOCK.sub(lambda block: block[1] + _TABLES[block[2]]() + block[3], text)


def write_options() -> str:
    """Return the table of a job's options."""
    rows = (
        (f"`{name}`", _default(field.default), describe(field))
        for name, field in ProcessingOptions.model_fields.items()
    )
    return _table("field", rows)


def write_render_request(model: type[BaseModel]) -> str:
    """Return the table of the fields of a mix or a transition."""
    rows = (
        (f"`{name}`", _default(_stated(field)), describe(field))
        for name, field in model.model_fields.items()
        if name != "kind"
    )
    return _table("field", rows)


def _stated(field: FieldInfo) -> object:
    """Return a field's default; empty where there is none."""
    return "" if field.is_required() or field.default is None else field.default


def write_facts() -> str:
    """Return the table of the facts of a recording, group by group."""
    lines = ["| fact | stage | meaning |", "|---|---|---|"]
    for group in GROUPS:
        for name, field in group.model_fields.items():
            lines.append(f"| `{name}` | {group.stage or ''} | {field.description} |")
    return "\n".join(lines) + "\n"


def write_query() -> str:
    """Return the table of the parameters of a search of the library."""
    rows = (
        (f"`{name}`", _default("" if field.default is None else field.default), describe(field))
        for name, field in TrackQuery.model_fields.items()
    )
    return _table("parameter", rows)


def write_settings() -> str:
    """Return the table of the settings."""
    rows = (
        (f"`{name.upper()}`", _code(as_text(field.default)), describe(field))
        for name, field in Settings.model_fields.items()
    )
    return _table("setting", rows)


def write_families() -> str:
    """Return the table of the families of models."""
    lines = ["| family | models known by name | stems | needs |", "|---|---|---|---|"]
    for name, family in FAMILIES.items():
        known = ", ".join(f"`{info.name}`" for info in family.catalogue) or "your own"
        stems = dict.fromkeys(stem for info in family.catalogue for stem in info.stems)
        package = family.package and f'`pip install "stemcrate[{family.package.extra}]"`'
        lines.append(
            f"| `{name}` | {known} | {', '.join(stems) or 'as its config says'} | {package or ''} |"
        )
    return "\n".join(lines) + "\n"


def write_env(before: str) -> str:
    """Return `.env.example`: every setting, in the sections and order of ``before``."""
    head, *parts = _SECTION.split(before)
    sections = {
        title: re.findall(r"^([A-Z_]+)=", body, re.MULTILINE)
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }
    fields = {name.upper(): field for name, field in Settings.model_fields.items()}
    listed = {name for names in sections.values() for name in names}
    sections[list(sections)[-1]] += [name for name in fields if name not in listed]
    text = head.rstrip() + "\n"
    for title, names in sections.items():
        text += f"\n# --- {title} ---\n"
        for name in filter(fields.__contains__, names):
            comment = _wrap(describe(fields[name]).replace("`", ""))
            text += f"\n{comment}\n{name}={as_text(fields[name].default)}\n"
    return text


def write_commands() -> str:
    """Return the reference of the command line."""
    command = get_command(app)
    context = typer.Context(command, info_name="stemcrate")
    return (
        get_docs_for_click(
            obj=command, ctx=context, name="stemcrate", title="Command line"
        ).rstrip()
        + "\n"
    )


def describe(field: FieldInfo) -> str:
    """Return a field's description with its choices and limits, where it does not say them."""
    description = help_of(field)
    kinds = [field.annotation, *get_args(field.annotation)]
    choices = next(filter(None, map(_choices, kinds)), ())
    if any(f"`{choice}`" not in description for choice in choices):
        description += f" One of {', '.join(f'`{choice}`' for choice in choices)}."
    limits: dict[type, Any] = {type(limit): limit for limit in field.metadata}
    if Ge in limits and Le in limits:
        description += f" {limits[Ge].ge:.15g} to {limits[Le].le:.15g}."
    elif Ge in limits and limits[Ge].ge > 0:
        description += f" At least {limits[Ge].ge:.15g}."
    if MaxLen in limits and field.annotation is str:
        description += f" At most {limits[MaxLen].max_length} characters."
    return description


def _choices(kind: Any) -> tuple[Any, ...]:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return tuple(kind)
    return get_args(kind) if get_origin(kind) is Literal else ()


def as_text(default: object) -> str:
    """Write a setting's default as the environment holds it."""
    if default is None:
        return ""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return ",".join(map(str, default)) if isinstance(default, list) else str(default)


def _default(default: object) -> str:
    if isinstance(default, tuple):
        return "all" if default else ""
    if isinstance(default, dict):
        return ""
    return _code(str(default).lower() if isinstance(default, bool) else str(default))


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(heading: str, rows: Iterator[tuple[str, str, str]]) -> str:
    lines = [f"| {heading} | default | |", "|---|---|---|"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _wrap(text: str) -> str:
    """Wrap a comment; code and addresses are not broken."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) + 3 > _WIDTH:
            lines.append("")
        lines[-1] += f" {word}"
    return "\n".join(f"#{line}" for line in lines)


_TABLES: dict[str, Callable[[], str]] = {
    "facts": write_facts,
    "families": write_families,
    "job options": write_options,
    "mix": partial(write_render_request, MixRequest),
    "search": write_query,
    "settings": write_settings,
    "transition": partial(write_render_request, TransitionRequest),
}


if __name__ == "__main__":
    main()
