"""Names that strangers give to files: labels, and never paths."""

import re
import unicodedata

MAX_NAME_LENGTH = 200
UNNAMED = "untitled"


def clean_name(name: str) -> str:
    """Return a label for a foreign file name: its last component, printable, of bounded length.

    >>> clean_name("../../etc/passwd")
    'passwd'
    """
    name = unicodedata.normalize("NFC", name.replace("%22", '"').replace("\\", "/"))
    name = " ".join(re.sub(r"[\x00-\x1f]", "", name.rpartition("/")[2]).split())
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C")
    if not name.strip("."):
        return UNNAMED
    if len(name) > MAX_NAME_LENGTH:
        stem, dot, suffix = name.rpartition(".")
        suffix = dot + suffix if stem and len(suffix) <= 10 else ""
        name = name[: MAX_NAME_LENGTH - len(suffix)].rstrip() + suffix
    return name
