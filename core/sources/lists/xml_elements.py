"""XML of strangers, read as it comes: no document type, so no entities and nothing external."""

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from core.errors import InvalidList

_MAX_DEPTH = 100


@dataclass(slots=True)
class Element:
    """An element that has ended: its name without a prefix, attributes, text, names of parents."""

    name: str
    attributes: dict[str, str]
    parents: tuple[str, ...]
    text: str = ""
    parts: list[str] = field(default_factory=list)


def read_elements(text: str, take: Callable[[Element], None]) -> None:
    """Call ``take`` with every element as it ends, inner ones before outer ones.

    Raises `InvalidList` for what is no XML, or has a document type, which no such list has.
    """
    open_elements: list[Element] = []

    def refuse(*_: object) -> None:
        raise InvalidList("The list has a document type (<!DOCTYPE …>), which no such list has.")

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(open_elements) == _MAX_DEPTH:
            raise InvalidList("The XML of the list is nested too deeply.")
        parents = tuple(element.name for element in open_elements)
        open_elements.append(Element(name.rpartition(":")[2], attributes, parents))

    def end(_: str) -> None:
        element = open_elements.pop()
        element.text = "".join(element.parts).strip()
        take(element)

    parser = expat.ParserCreate(encoding="utf-8")
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda data: open_elements[-1].parts.append(data)
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        raise InvalidList(f"The list is no XML: {error}.") from error


def begins_with(name: str) -> Callable[[str], bool]:
    """Return whether a text begins as XML with this root."""
    return lambda head: head.lstrip().startswith("<") and f"<{name.lower()}" in head.lower()
