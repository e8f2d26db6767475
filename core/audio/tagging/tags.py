"""Reading tags, cleaned for display and for tag writers.

Tags are optional, so nothing here raises: broken tags read as no tags.
"""

import re
import struct
import unicodedata
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from core.audio.reading.tag_bounds import find_bounds
from stemcrate.schemas.tags import TextTags

_MAX_TEXT = 500  # characters; longer "titles" are descriptions or attacks
_MAX_COMMENT = 4000
_MAX_COVER_BYTES = 10_000_000
_COVER_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
)
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")


@dataclass(frozen=True, slots=True)
class Cover:
    """Front cover; ``mime`` is ``image/jpeg`` or ``image/png``, detected from the bytes."""

    data: bytes
    mime: str


@dataclass(frozen=True, slots=True)
class Tags:
    """Tags of one recording; None for missing tags.

    ``year`` is text as found (``2021``, ``2021-05-01``); ``key`` is as found (``Am``, ``8A``);
    ``bpm`` is positive.
    """

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    album_artist: str | None = None
    composer: str | None = None
    genre: str | None = None
    year: str | None = None
    track_number: int | None = None
    comment: str | None = None
    isrc: str | None = None
    bpm: float | None = None
    key: str | None = None
    cover: Cover | None = None


def read_tags(path: Path) -> Tags:
    """Read a file's tags, by its content alone.

    Control characters are removed and whitespace is collapsed; texts are cut at 500 characters
    (comments at 4000), covers above 10 MB are dropped. A file without tags, with broken tags, with
    more than `MAX_ENTRIES` tags or of an unknown kind gives ``Tags()``.
    """
    import tinytag  # noqa: TID251  # here: who only handles tags loads no parser

    if not find_bounds(path).is_readable:
        return Tags()
    try:
        with path.open("rb") as file:
            tag = tinytag.TinyTag.get(file_obj=file, duration=False, image=True)
    except (tinytag.TinyTagException, *_BROKEN):
        return Tags()
    return Tags(
        title=clean_text(tag.title),
        artist=clean_text(tag.artist),
        album=clean_text(tag.album),
        album_artist=clean_text(tag.albumartist),
        composer=clean_text(tag.composer),
        genre=clean_text(tag.genre),
        year=clean_text(tag.year),
        track_number=_positive_int(tag.track),
        comment=clean_text(tag.comment, limit=_MAX_COMMENT),
        isrc=_isrc(_other(tag, "isrc")),
        bpm=_most_precise_bpm(tag),
        key=clean_text(_other(tag, "initial_key"), limit=20),
        cover=_cover(tag),
    )


def name_track(tags: Tags, file_name: str) -> tuple[str, str | None]:
    """Return title and artist: from the tags, else from a name like ``Artist - Title``."""
    if tags.title:
        return tags.title, tags.artist
    stem = PurePath(file_name.replace("\\", "/")).stem or file_name
    artist, separator, title = stem.partition(" - ")
    if separator and artist.strip() and title.strip():
        return title.strip(), tags.artist or artist.strip()
    return stem, tags.artist


def text_tags(tags: Tags) -> TextTags:
    """Return the tags that the file has, without the cover."""
    found = asdict(replace(tags, cover=None))
    return TextTags(**{name: value for name, value in found.items() if value is not None})


# Errors of a parser on malformed bytes; tinytag documents only its own.
_BROKEN = (ValueError, LookupError, TypeError, OverflowError, MemoryError, EOFError, struct.error)


def clean_text(value: Any, *, limit: int = _MAX_TEXT) -> str | None:
    """Return printable text in Unicode NFC, at most ``limit`` characters; None if empty.

    Lone surrogates and control characters are removed, as XML, file names and terminals reject
    them; format characters are kept, as they join emoji and scripts.
    """
    if value is None:
        return None
    kept = "".join(
        " " if character in "\t\n\r\v\f" else character
        for character in str(value)
        if character in "\t\n\r\v\f" or unicodedata.category(character) not in ("Cc", "Cs")
    )
    # Bidirectional overrides can disguise a name.
    kept = re.sub("[\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]", "", kept)
    text = unicodedata.normalize("NFC", " ".join(kept.split()))[:limit].strip()
    return text or None


def _other(tag: Any, name: str) -> Any:
    values = tag.other.get(name)
    return values[0] if values else None


def _positive_int(value: Any) -> int | None:
    digits = re.match(r"\s*(\d{1,6})", str(value)) if value is not None else None
    return int(digits[1]) or None if digits else None


def _bpm(value: Any) -> float | None:
    """Return a tempo in BPM; None for 0 and implausible values."""
    try:
        bpm = float(str(value).strip().replace(",", "."))
    except ValueError:
        return None
    return bpm if 1 <= bpm <= 1000 else None


def _most_precise_bpm(tag: Any) -> float | None:
    """Choose among several values: MP4 holds an integer beside the decimal number."""
    tempos = [bpm for value in tag.other.get("bpm", []) if (bpm := _bpm(value)) is not None]
    return next((bpm for bpm in tempos if bpm % 1), tempos[0] if tempos else None)


def _isrc(value: Any) -> str | None:
    text = (clean_text(value) or "").replace("-", "").replace(" ", "").upper()
    return text if _ISRC.fullmatch(text) else None


def _cover(tag: Any) -> Cover | None:
    image = tag.images.any
    data = bytes(image.data) if image is not None and image.data else b""
    if len(data) > _MAX_COVER_BYTES:
        return None
    for magic, mime in _COVER_MAGIC:
        if data.startswith(magic):
            return Cover(data=data, mime=mime)
    return None
