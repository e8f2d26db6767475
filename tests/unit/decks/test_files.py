"""Databases of drives in a player."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.decks.watcher import DeckWatcher
from core.errors import DeckNotFound, DeckUnavailable
from tests.conditions import wait_until
from tests.deck_simulator import DeckSimulator, free_udp_port

NEW, OLD = "/USB 1/Engine Library/Database2/m.db", "/../Engine Library/m.db"


def database(folder: Path, n_rows: int) -> bytes:
    path = folder / f"{n_rows}.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("create table Track (title text)")
        made.executemany("insert into Track values (?)", [("x" * 100,)] * n_rows)
        made.commit()
    return path.read_bytes()


@pytest.fixture
def player() -> Iterator[DeckSimulator]:
    player = DeckSimulator("127.0.0.2", free_udp_port()).start()
    yield player
    player.kill()


@pytest.fixture
def watcher(player: DeckSimulator) -> Iterator[DeckWatcher]:
    with closing(DeckWatcher(["127.0.0.1/8"], port=player.udp_port)) as watcher:
        wait_until(lambda: any("FileTransfer" in d.services for d in watcher.report().devices))
        yield watcher


def test_databases_arrive_whole(
    player: DeckSimulator, watcher: DeckWatcher, tmp_path: Path
) -> None:
    """More than a request of chunks, an older place, and a name that is a way out."""
    player.files = {NEW: database(tmp_path, 5000), OLD: database(tmp_path, 1), "/Empty/x": b"x"}
    found = watcher.fetch_databases("sc6000", tmp_path / "to")
    names = [str(path.relative_to(tmp_path / "to")) for path in found]
    assert names == ["untitled/m.db", "USB 1/m.db"]
    assert found[1].read_bytes() == player.files[NEW]
    assert len(player.files[NEW]) > 2 * 64 * 4096
    with closing(sqlite3.connect(found[0])) as opened:
        assert opened.execute("select count(*) from Track").fetchone() == (1,)


def test_what_is_no_database_leaves_nothing(
    player: DeckSimulator, watcher: DeckWatcher, tmp_path: Path
) -> None:
    player.files = {NEW: b"encrypted" * 1000}
    with pytest.raises(DeckUnavailable, match="encrypted"):
        watcher.fetch_databases(player.address, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    player.files = {"/USB 1/Music/a.mp3": b"x"}
    with pytest.raises(DeckUnavailable, match="database"):
        watcher.fetch_databases(player.address, tmp_path)


def test_players_that_are_not_there_are_named(watcher: DeckWatcher, tmp_path: Path) -> None:
    with pytest.raises(DeckNotFound, match=r"127\.0\.0\.2"):
        watcher.fetch_databases("prime4", tmp_path)
