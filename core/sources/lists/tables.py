"""CSV and TSV with a header, as spreadsheets, DJ programs and streaming services export them."""

import csv
from collections.abc import Iterator

from core.errors import InvalidList
from core.sources.lists.format import ListFormat, listed, place_of
from stemcrate.schemas.ingests import ListedTrack

_COLUMNS = {
    "place": ("url", "link", "file", "path", "location", "permalink", "permalink url", "track url"),
    "artist": ("artist", "artists", "artist name", "artist names", "artist name(s)", "user"),
    "title": ("title", "track title", "track name", "name", "track", "song", "song title"),
    "video": ("video id",),
}
"""Headers in lower case, ``_`` as a blank: ours, rekordbox, Exportify, SoundCloud, YouTube."""
_VIDEO = "https://www.youtube.com/watch?v="
_DELIMITERS = ",;\t"


def _read(text: str) -> Iterator[ListedTrack]:
    header = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    rows = csv.reader(text.lstrip().splitlines(), delimiter=delimiter)
    try:
        names = [name.strip().lower().replace("_", " ") for name in next(rows, [])]
        columns = {
            field: names.index(name)
            for field, known in _COLUMNS.items()
            for name in reversed(known)
            if name in names
        }
        if not columns:
            raise InvalidList(
                "The first line of the table names no column of tracks.",
                hint="Name columns 'artist' and 'title', 'url' or 'file'.",
            )
        yield from listed(_read_row(row, columns) for row in rows)
    except csv.Error as error:
        raise InvalidList(f"The table cannot be read: {error}.") from error


def _read_row(row: list[str], columns: dict[str, int]) -> dict[str, str | None]:
    found = {name: row[index] for name, index in columns.items() if index < len(row)}
    place, video = found.pop("place", "").strip(), found.pop("video", "").strip()
    if place:
        return {**found, **place_of(place)}
    return {**found, "url": f"{_VIDEO}{video}" if video else None}


def _begins(head: str) -> bool:
    first = head.lstrip().partition("\n")[0].lower()
    return any(d in first for d in _DELIMITERS) and any(
        part.strip().strip('"') in _COLUMNS["artist"] + _COLUMNS["title"] + _COLUMNS["video"]
        for delimiter in _DELIMITERS
        for part in first.replace("_", " ").split(delimiter)
    )


TABLE = ListFormat("CSV or TSV", (".csv", ".tsv"), _read, _begins)
