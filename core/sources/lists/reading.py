"""Reads a list of tracks in any of the formats."""

from itertools import islice
from pathlib import PurePath

from core.errors import InvalidList
from core.library.intake.listing import decode_list
from core.sources.lists.format import ListFormat
from core.sources.lists.m3u import M3U
from core.sources.lists.manifest import MANIFEST
from core.sources.lists.rekordbox import REKORDBOX
from core.sources.lists.tables import TABLE
from core.sources.lists.text import TEXT
from core.sources.lists.traktor import TRAKTOR
from core.sources.lists.xspf import XSPF
from stemcrate.schemas.ingests import ListedTrack

FORMATS: tuple[ListFormat, ...] = (M3U, MANIFEST, REKORDBOX, TRAKTOR, XSPF, TABLE, TEXT)
LIST_SUFFIXES = frozenset(suffix for format in FORMATS for suffix in format.suffixes) | {".xml"}
MAX_TRACKS = 10_000
MAX_LIST_BYTES = 50_000_000
_HEAD = 4096


def read_list(name: str, data: bytes) -> list[ListedTrack]:
    """Return the tracks of a list, in its order, each place once.

    Parameters
    ----------
    name : of its file; what its suffix does not tell, its beginning does.
    data : text as UTF-8, as UTF-16 with BOM, or else as Windows-1252.

    Raises
    ------
    InvalidList : it cannot be read, or holds no tracks, or more than `MAX_TRACKS`.
    """
    shown = f"'{name}'" if name else "The list"
    if len(data) > MAX_LIST_BYTES:
        raise InvalidList(f"{shown} is larger than {MAX_LIST_BYTES // 1_000_000} MB.")
    text = decode_list(data)
    found: dict[str, ListedTrack] = {}
    for track in islice(_find_format(name, text).read(text), MAX_TRACKS + 1):
        found.setdefault(track.url or track.file or track.label, track)
    tracks = list(found.values())
    if not tracks:
        raise InvalidList(
            f"{shown} lists no tracks.",
            hint=f"It can be {', '.join(format.name for format in FORMATS)}.",
        )
    if len(tracks) > MAX_TRACKS:
        raise InvalidList(f"{shown} lists more than {MAX_TRACKS} tracks.", hint="Split it.")
    return tracks


def _find_format(name: str, text: str) -> ListFormat:
    suffix, head = PurePath(name).suffix.lower(), text[:_HEAD]
    for format in FORMATS:
        if suffix in format.suffixes and format is not TEXT:
            return format
    return next((f for f in FORMATS if f.begins is not None and f.begins(head)), TEXT)
