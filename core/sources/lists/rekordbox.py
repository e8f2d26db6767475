"""rekordbox XML: the tracks of its collection."""

from core.sources.lists.format import ListFormat, listed, place_of
from core.sources.lists.xml_elements import Element, begins_with, read_elements
from stemcrate.schemas.ingests import ListedTrack

_HOST = "file://localhost"


def _read(text: str) -> list[ListedTrack]:
    tracks: list[dict[str, str | None]] = []

    def take(element: Element) -> None:
        if element.name == "TRACK" and element.parents[-1:] == ("COLLECTION",):
            of, place = element.attributes, element.attributes.get("Location", "")
            if place.startswith(_HOST):
                place = "file://" + place.removeprefix(_HOST)
            tracks.append({"artist": of.get("Artist"), "title": of.get("Name"), **place_of(place)})

    read_elements(text, take)
    return list(listed(tracks))


REKORDBOX = ListFormat("rekordbox XML", (), _read, begins_with("DJ_PLAYLISTS"))
