"""Plain text: one link, path or "artist - title" a line; lines with ``#`` are comments."""

from collections.abc import Iterator
from pathlib import PurePath

from core.library.intake.listing import AUDIO_SUFFIXES
from core.sources.lists.format import ListFormat, listed, place_of, split_name
from stemcrate.schemas.ingests import ListedTrack


def _read(text: str) -> Iterator[ListedTrack]:
    lines = (line.strip() for line in text.splitlines())
    return listed(_read_line(line) for line in lines if not line.startswith("#"))


def _read_line(line: str) -> dict[str, str | None]:
    place = place_of(line)
    if "url" in place or PurePath(line.replace("\\", "/")).suffix.lower() in AUDIO_SUFFIXES:
        return place
    return split_name(line)


TEXT = ListFormat("text", (".txt", ".list"), _read)
