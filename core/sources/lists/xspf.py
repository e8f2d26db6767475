"""XSPF."""

from core.sources.lists.format import ListFormat, listed, place_of
from core.sources.lists.xml_elements import Element, begins_with, read_elements
from stemcrate.schemas.ingests import ListedTrack

_TRACK = ("playlist", "trackList", "track")
_FIELDS = {"creator": "artist", "title": "title"}


def _read(text: str) -> list[ListedTrack]:
    tracks: list[dict[str, str | None]] = []
    current: dict[str, str | None] = {}

    def take(element: Element) -> None:
        nonlocal current
        if element.parents == _TRACK:
            if element.name in _FIELDS:
                current.setdefault(_FIELDS[element.name], element.text)
            elif element.name == "location" and not {"file", "url"} & current.keys():
                current.update(place_of(element.text))
        elif (*element.parents, element.name) == _TRACK:
            tracks.append(current)
            current = {}

    read_elements(text, take)
    return list(listed(tracks))


XSPF = ListFormat("XSPF", (".xspf",), _read, begins_with("playlist"))
