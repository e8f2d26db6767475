"""XML as DJ programs read it: declaration, indentation, and no character that XML forbids."""

import re
from collections.abc import Mapping
from xml.etree import ElementTree

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def xml_text(text: str) -> str:
    """Remove characters that XML forbids; ElementTree would write them."""
    return _FORBIDDEN.sub("", text)


def attributes(values: Mapping[str, object]) -> dict[str, str]:
    """Convert values to attributes; None is omitted."""
    return {name: xml_text(str(value)) for name, value in values.items() if value is not None}


def document(root: ElementTree.Element, *, declaration: str) -> bytes:
    """Write a document in UTF-8, indented by one space per level."""
    ElementTree.indent(root, " ")
    return f"{declaration}\n{ElementTree.tostring(root, 'unicode')}\n".encode()
