"""M3U and M3U8 (``#EXTINF:seconds,Artist - Title`` before each entry)."""

from collections.abc import Iterator

from core.sources.lists.format import ListFormat, listed, place_of, split_name
from stemcrate.schemas.ingests import ListedTrack

_INFO = "#EXTINF:"


def _read(text: str) -> Iterator[ListedTrack]:
    return listed(_entries(text))


def _entries(text: str) -> Iterator[dict[str, str | None]]:
    named: dict[str, str | None] = {}
    for line in map(str.strip, text.splitlines()):
        if line.startswith(_INFO):
            named = split_name(line.partition(",")[2])
        elif line and not line.startswith("#"):
            yield {**named, **place_of(line)}
            named = {}


M3U = ListFormat("M3U", (".m3u8", ".m3u"), _read, lambda head: head.startswith("#EXTM3U"))
