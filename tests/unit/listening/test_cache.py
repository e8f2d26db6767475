"""What is kept for players, and what is removed first."""

import os
from pathlib import Path

from core.listening.cache import ListeningCache


def keep(cache: ListeningCache, job_id: str, name: str, n_bytes: int, at_s: int) -> Path:
    path = cache.path(job_id, "key", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(n_bytes))
    os.utime(path, (at_s, at_s))
    cache.note_added(path)
    return path


def test_what_was_not_read_for_longest_goes_first(tmp_path: Path) -> None:
    """A player in use must not lose its segments to those of a song heard last week."""
    cache = ListeningCache(tmp_path, 1000)
    old, older = keep(cache, "a", "0", 400, 1000), keep(cache, "b", "0", 400, 900)
    assert cache.read(older) == bytes(400)  # counts as its last use
    newest = keep(cache, "b", "1", 400, 800)
    assert not old.exists()
    assert older.exists()
    assert newest.exists()  # just made, however old it says it is


def test_files_of_an_earlier_run_count(tmp_path: Path) -> None:
    """Otherwise each restart of the server grants the whole limit again."""
    earlier = keep(ListeningCache(tmp_path, 1000), "a", "0", 800, 900)
    keep(ListeningCache(tmp_path, 1000), "a", "1", 400, 1000)
    assert not earlier.exists()


def test_one_file_above_the_limit_is_served(tmp_path: Path) -> None:
    cache = ListeningCache(tmp_path, 100)
    path = keep(cache, "a", "0", 400, 1000)
    assert cache.read(path) == bytes(400)
    assert cache.read(cache.path("a", "key", "missing")) is None
