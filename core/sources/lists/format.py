"""What a format of lists is: one module each, found by suffix or by how the text begins."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from stemcrate.schemas.ingests import ListedTrack


@dataclass(frozen=True, slots=True)
class ListFormat:
    """A format of lists.

    Parameters
    ----------
    name : for people.
    suffixes : of its files, in lower case.
    begins : whether a text that begins so is one; None: only the suffix tells.
    read : the tracks of a text, in its order; may raise `InvalidList` and ``ValueError``.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[str], Iterable[ListedTrack]]
    begins: Callable[[str], bool] | None = None


def listed(places: Iterable[dict[str, str | None]]) -> Iterator[ListedTrack]:
    """Yield the tracks that places describe, with blanks removed; those that say nothing left out.

    What is too long for a field is no name of a track: it is left out, too.
    """
    for place in places:
        found = {name: value.strip() for name, value in place.items() if value and value.strip()}
        try:
            track = ListedTrack.model_validate(found)
        except ValidationError:
            continue
        if track.label:
            yield track


BUCKETS = ("s3://", "gs://", "az://")
"""How links into buckets begin."""


def is_link(text: str) -> bool:
    """Return whether a text is a link of the web, or into a bucket."""
    return text.lower().startswith(("http://", "https://", *BUCKETS))


def place_of(text: str) -> dict[str, str | None]:
    """Return a link or a path as the field that holds it."""
    return {"url": text} if is_link(text.strip()) else {"file": text}


def split_name(text: str) -> dict[str, str | None]:
    """Split ``artist - title``; a text without a dash is a title.

    >>> split_name("Nina - Blue - Live")
    {'artist': 'Nina', 'title': 'Blue - Live'}
    """
    artist, dash, title = text.partition(" - ")
    return {"artist": artist, "title": title} if dash else {"artist": None, "title": text}
