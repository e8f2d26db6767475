"""Names of transferred files."""

import string
from collections.abc import Mapping

from core.errors import InvalidOption
from core.export.names import safe_name

FIELDS = ("job_id", "artist", "title", "track", "name")
UNKNOWN = "unknown"


def check_template(template: str) -> None:
    """Raise `InvalidOption` unless a template names each file, and no place outside."""
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise _invalid(template, str(error)) from error
    fields = {field for _, field, _, _ in parsed if field is not None}
    if unknown := sorted(fields - set(FIELDS)):
        raise _invalid(template, f"there is no field {{{unknown[0]}}}")
    if any(spec or conversion for _, _, spec, conversion in parsed):
        raise _invalid(template, "fields stand alone in their braces")
    if "name" not in fields:
        raise _invalid(template, "without {name}, files would overwrite each other")
    parts = template.split("/")
    if "\\" in template or any(part in ("", ".", "..") for part in parts):
        raise _invalid(template, "it has to be a relative path")


def file_name(template: str, fields: Mapping[str, str]) -> str:
    """Return the name of a file below the target; no value but ``name`` adds folders."""
    values = {
        field: value if field == "name" else safe_name(value or UNKNOWN)
        for field, value in fields.items()
    }
    return template.format_map(values)


def _invalid(template: str, fault: str) -> InvalidOption:
    return InvalidOption(
        f"'{template}' cannot name transferred files: {fault}.",
        hint=f"Fields: {', '.join(f'{{{field}}}' for field in FIELDS)}.",
        field="template",
    )
