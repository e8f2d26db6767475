"""The database of Engine DJ (version 2 and later), as drives and players have it: `m.db`."""

import sqlite3
from contextlib import closing
from pathlib import Path

from core.errors import InvalidList
from core.sources.lists.format import listed
from stemcrate.schemas.ingests import ListedTrack

ENGINE_SUFFIX = ".db"
_FOLDER = "Database2"
_QUESTION = "SELECT artist, title, path AS file FROM Track ORDER BY id LIMIT ?"
_MAX_STEPS = 20_000_000
_STEPS = 10_000


def read_engine(path: Path, max_tracks: int) -> list[ListedTrack]:
    """Return the tracks of a database, with paths relative to `engine_folder`.

    The file is opened for reading alone, and given up after a number of steps: what calls itself a
    table may be a view that never ends. Raises `InvalidList` for what is no such database, holds no
    tracks, or more than ``max_tracks``.
    """
    left = _MAX_STEPS // _STEPS

    def is_enough() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            database.execute("PRAGMA trusted_schema = OFF")
            database.set_progress_handler(is_enough, _STEPS)
            rows = database.execute(_QUESTION, [max_tracks + 1]).fetchall()
    except sqlite3.Error as error:
        raise InvalidList(
            f"'{path.name}' is no database of Engine DJ: {error}.",
            hint="Databases of Engine 2 and later can be read, if they are not encrypted.",
        ) from error
    if not rows:
        raise InvalidList(f"'{path.name}' lists no tracks.")
    if len(rows) > max_tracks:
        raise InvalidList(f"'{path.name}' lists more than {max_tracks} tracks.")
    return list(
        listed({name: _text(row[name]) for name in ("artist", "title", "file")} for row in rows)
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def engine_folder(path: Path) -> Path:
    """Return the folder that paths of a database are relative to: `Engine Library`."""
    return path.parent.parent if path.parent.name == _FOLDER else path.parent
