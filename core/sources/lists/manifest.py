"""JSON: ``{"tracks": [{"file" | "url", "artist", "title"}]}``, as `stemcrate ingest` writes it."""

import json
from collections.abc import Iterator
from typing import Any

from core.errors import InvalidList
from core.sources.lists.format import ListFormat, listed
from stemcrate.schemas.ingests import ListedTrack


def _read(text: str) -> Iterator[ListedTrack]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidList(f"The list is no JSON: {str(error)[:200]}.") from error
    tracks = found.get("tracks") if isinstance(found, dict) else found
    if not isinstance(tracks, list):
        raise InvalidList(
            "The JSON holds no list of tracks.",
            hint='Write {"tracks": [{"url": "…"}, {"artist": "…", "title": "…"}]}.',
        )
    return listed(map(_read_track, tracks))


def _read_track(track: Any) -> dict[str, str | None]:
    if isinstance(track, str):
        return {"url": track}
    if not isinstance(track, dict):
        raise InvalidList(f"{str(track)[:100]!r} in the list is no track.")
    texts = {name: track.get(name) for name in ("file", "url", "artist", "title")}
    return {name: text for name, text in texts.items() if isinstance(text, str)}


MANIFEST = ListFormat("JSON", (".json",), _read, lambda head: head.lstrip()[:1] in ("{", "["))
