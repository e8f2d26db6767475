"""Traktor NML: the tracks of its collection."""

from core.sources.lists.format import ListFormat, listed
from core.sources.lists.xml_elements import Element, begins_with, read_elements
from stemcrate.schemas.ingests import ListedTrack

_ENTRY = ("NML", "COLLECTION", "ENTRY")


def _read(text: str) -> list[ListedTrack]:
    tracks: list[dict[str, str | None]] = []
    places: list[str] = []

    def take(element: Element) -> None:
        of = element.attributes
        if element.name == "LOCATION" and element.parents == _ENTRY:
            places.append(_path(of.get("VOLUME", ""), of.get("DIR", ""), of.get("FILE", "")))
        elif (*element.parents, element.name) == _ENTRY:
            place = places.pop() if places else None
            tracks.append({"artist": of.get("ARTIST"), "title": of.get("TITLE"), "file": place})
            places.clear()

    read_elements(text, take)
    return list(listed(tracks))


def _path(volume: str, folder: str, file: str) -> str:
    """Join what Traktor splits; it ends each folder with ``/:`` and doubles colons in names.

    >>> _path("C:", "/:Music/:House/:", "a.mp3"), _path("Macintosh HD", "/:Music/:", "a.mp3")
    ('C:/Music/House/a.mp3', '/Music/a.mp3')
    """
    path = "/".join((folder.replace("/:", "/").rstrip("/"), file)).replace("::", ":")
    return f"{volume}{path}" if len(volume) == 2 and volume.endswith(":") else path


TRAKTOR = ListFormat("Traktor NML", (".nml",), _read, begins_with("NML"))
