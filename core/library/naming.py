"""Tracks by what people call them."""

from pathlib import PurePath

from core.library.library import Library
from core.system.texts import fold
from stemcrate.schemas.search import TrackQuery

_N_LIKE = 20


def find_by_name(
    library: Library, artist: str | None, title: str | None, file_name: str | None = None
) -> str | None:
    """Return the id of the only track of this artist and title, if there is one.

    Of several, the only one with a file of this name counts. Tracks whose files are missing do not.
    """
    if not (artist and title):
        return None
    wanted = fold(artist), fold(title)
    page = library.search(TrackQuery(text=f"{artist} {title}"[:500], limit=_N_LIKE))
    same = [
        track for track in page.tracks if (fold(track.artist or ""), fold(track.title)) == wanted
    ]
    if len(same) > 1 and file_name:
        same = [t for t in same if any(PurePath(path).name == file_name for path in t.paths)]
    return same[0].id if len(same) == 1 and not same[0].is_missing else None
