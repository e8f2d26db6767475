"""Databases of Engine DJ as lists."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.ingest import _read_source
from core.errors import InvalidList
from core.sources.lists.engine import read_engine

TRACK = (
    "CREATE TABLE Track (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT, filename TEXT, "
    "title TEXT, artist TEXT, key INTEGER)"
)


def make(path: Path, *statements: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
    return path


def test_tracks_are_read_and_those_on_the_drive_are_found(tmp_path: Path) -> None:
    (tmp_path / "Music").mkdir()
    song = tmp_path / "Music" / "a.mp3"
    song.write_bytes(b"")
    path = make(
        tmp_path / "Engine Library" / "Database2" / "m.db",
        TRACK,
        "INSERT INTO Track (path, title, artist) VALUES ('../Music/a.mp3', 'Blue', 'Nina')",
        "INSERT INTO Track (path, title, artist) VALUES ('../Music/b.mp3', 'Green', NULL)",
        "INSERT INTO Track (path, title, artist) VALUES (NULL, x'ff', NULL)",
    )
    first, second = _read_source(str(path))
    assert (first.file, first.artist, first.title) == (str(song), "Nina", "Blue")
    assert (second.file, second.artist, second.title) == ("../Music/b.mp3", None, "Green")


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ((TRACK,), "no tracks"),
        (("CREATE TABLE Track (id INTEGER, path TEXT)",), "no such column"),
        ((), "no such table"),
        (
            (
                "CREATE VIEW Track AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 "
                "FROM n) SELECT id, 'a' AS path, 'a' AS title, 'a' AS artist FROM n",
            ),
            "interrupted",
        ),
        ((TRACK, *["INSERT INTO Track (title) VALUES ('a')"] * 4), "more than 3"),
    ],
    ids=["empty", "engine 1", "other", "endless", "long"],
)
def test_other_databases_are_refused(
    tmp_path: Path, statements: tuple[str, ...], words: str
) -> None:
    path = make(tmp_path / "m.db", *statements)
    with pytest.raises(InvalidList, match=words):
        read_engine(path, 3)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.db").write_bytes(b"encrypted" * 500)
    for path in (tmp_path / "m.db", tmp_path / "none.db"):
        with pytest.raises(InvalidList, match="no database of Engine"):
            read_engine(path, 3)
    assert not (tmp_path / "none.db").exists()
