"""File names from tags: legal on every system, readable by every DJ program, never a path.

Conventions: a name is Unicode NFC, without its suffix, at most `MAX_CHARACTERS` characters and
`MAX_BYTES` bytes of UTF-8, which leaves room for a counter and a suffix below the 255 bytes that
file systems allow. Characters that a player reads as part of a URL (``#``, ``?``, ``%20``) go as
well as those that a file system refuses.

References: "Naming Files, Paths, and Namespaces", Windows App Development documentation (reserved
characters and device names); RFC 3986, section 2.1 (percent-encoding).
"""

import re
import string
import unicodedata
from collections.abc import Mapping, Set

from core.errors import InvalidOption

MAX_CHARACTERS = 120
MAX_BYTES = 200
UNTITLED = "untitled"
TEMPLATE_FIELDS = ("artist", "title", "stem", "bpm", "key", "camelot", "track_number", "album")

_SHORTENED_FIELDS = ("title", "artist", "album")
_JOINED = re.compile(r"\s*[/\\|:]+\s*")
_FORBIDDEN = re.compile(r'[#?*"<>]')
_PERCENT_ENCODED = re.compile(r"%+(?=[0-9A-Fa-f]{2})")
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.I)
_KEPT_FORMAT_CHARACTERS = "\u200c\u200d"  # Join and split letters and emoji.
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}")
_SEPARATOR = r"[\s\-–—_·.,;|&+~]*"
_MISSING = "\0"
_PRESENT = re.compile("[\ue000-\uf8ff]")


def safe_name(text: str) -> str:
    """Turn any text into a file name without suffix.

    Parameters
    ----------
    text : anything, tags of unknown origin included; lone surrogates are dropped.

    Returns
    -------
    An NFC name that holds no path separator, no control or private-use character and none of
    ``# ? : * " < > |``, that neither starts with ``# - .`` nor ends with a dot or space, is no
    device name of Windows and keeps to the limits above. ``/ \\ | :`` become ``-``; ``%20`` loses
    its percent sign. An empty result becomes ``untitled``. Idempotent.
    """
    name = text
    # A removal can bring new neighbours together; each round that changes anything shortens the
    # name, except for the guard of a device name, which is put on once.
    while (cleaned := _clean(name)) != name:
        name = cleaned
    return name


def check_template(template: str) -> None:
    """Check that a name template can be rendered.

    Parameters
    ----------
    template : text with fields such as ``{artist} - {title} [{stem}]``; `TEMPLATE_FIELDS`.

    Raises
    ------
    InvalidOption : unbalanced braces, an unknown field, a conversion or format, a path separator,
        or no field at all (every file would have the same name).
    """
    fields = [field for _, field in _parse(template) if field is not None]
    unknown = next((field for field in fields if field not in TEMPLATE_FIELDS), None)
    if unknown is not None:
        raise _invalid(template, f"has the unknown field '{{{unknown}}}'")
    if not fields:
        raise _invalid(template, "has no field")
    if "/" in template or "\\" in template:
        raise _invalid(template, "holds a path separator")


def render_template(template: str, fields: Mapping[str, str | None]) -> str:
    """Render a file name, without suffix, from a template and the known facts.

    A missing or empty field is dropped with its separator or brackets: without an
    artist, ``{artist} - {title} [{stem}]`` gives ``Title [vocals]``. A name beyond the limits
    loses characters of its longest of title, artist and album, so that the stem stays legible.

    Parameters
    ----------
    template : as `check_template` accepts it.
    fields : text of each field; cleaned here, so tags can be given as they are.

    Returns
    -------
    A name as `safe_name` gives it.

    Raises
    ------
    InvalidOption : as `check_template`.
    """
    check_template(template)
    values = {name: _cap(_tidy(fields.get(name) or "")) for name in TEMPLATE_FIELDS}
    while True:
        name = _tidy(_fill(template, values))
        longest = max(_SHORTENED_FIELDS, key=lambda field: len(values[field]))
        if (_fits(name) and _fits(safe_name(name))) or len(values[longest]) <= 1:
            return safe_name(name)
        values[longest] = values[longest][:-1].rstrip(" .")


def unique_name(name: str, taken: Set[str]) -> str:
    """Return ``name``, or ``name (2)``, ``name (3)``, … if it is taken.

    Names that differ only in case or Unicode normalisation are the same file on macOS and
    Windows, and are treated as equal here.
    """
    used = {_fold(other) for other in taken}
    candidate, number = name, 1
    while _fold(candidate) in used:
        number += 1
        candidate = f"{name} ({number})"
    return candidate


def _clean(text: str) -> str:
    name = _tidy(text).lstrip("#-. ")
    if _RESERVED.match(name):
        name = f"_{name}"
    return _cap(name).rstrip(" .") or UNTITLED


def _tidy(text: str) -> str:
    """Take out what no name may hold; what a name may not start or end with stays."""
    text = unicodedata.normalize("NFC", "".join(map(_legal, text)))
    text = _FORBIDDEN.sub("", _JOINED.sub(_join, text))
    text = _PERCENT_ENCODED.sub("", text)
    return " ".join(text.split()).rstrip(" .")


def _legal(character: str) -> str:
    if character.isspace():
        return " "
    if character in _KEPT_FORMAT_CHARACTERS:
        return character
    is_noncharacter = ord(character) & 0xFFFE == 0xFFFE
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co")
    return "" if hidden or is_noncharacter else character


def _join(match: re.Match[str]) -> str:
    return " - " if " " in match.group() else "-"


def _fits(name: str) -> bool:
    return len(name) <= MAX_CHARACTERS and len(name.encode()) <= MAX_BYTES


def _cap(name: str) -> str:
    return name[:MAX_CHARACTERS].encode()[:MAX_BYTES].decode(errors="ignore")


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _parse(template: str) -> list[tuple[str, str | None]]:
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise _invalid(template, "has unbalanced braces") from error
    if any(part[2] or part[3] for part in parts):
        raise _invalid(template, "has a field with a format")
    return [(literal, field) for literal, field, _, _ in parts]


def _invalid(template: str, fault: str) -> InvalidOption:
    return InvalidOption(
        f"The name template '{template}' {fault}.",
        hint="Fields are " + ", ".join(f"{{{field}}}" for field in TEMPLATE_FIELDS) + ".",
        field="name_template",
    )


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Render with tidy gaps; values are held apart so that no rule for gaps eats into them."""
    held: list[str] = []
    text = ""
    for literal, field in _parse(template):
        text += "".join(map(_legal, literal))
        if field is None:
            continue
        if values[field]:
            text += chr(0xE000 + len(held))
            held.append(values[field])
        else:
            text += _MISSING
    text = _close_gaps(text)
    return _PRESENT.sub(lambda match: held[ord(match.group()) - 0xE000], text)


def _close_gaps(text: str) -> str:
    text = _BRACKETS.sub(_drop_empty_bracket, text)
    text = re.sub(rf"[^\W_\ue000-\uf8ff]*{_MISSING}[^\W_\ue000-\uf8ff]*", _MISSING, text)
    while _MISSING in text:
        before, _, after = text.partition(_MISSING)
        kept = re.sub(rf"{_SEPARATOR}$", "", before)
        if not kept or kept[-1] in "([{":
            text = kept + re.sub(rf"^{_SEPARATOR}", "", after)
        else:
            text = kept + after
    return text


def _drop_empty_bracket(match: re.Match[str]) -> str:
    text = match.group()
    return _MISSING if _MISSING in text and not _PRESENT.search(text) else text
