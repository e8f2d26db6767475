"""Results of stages by what they were made of."""

import os
from pathlib import Path

import pytest

from core.artifacts.cache import ENTRY, StageCache, make_key


@pytest.fixture
def cache(tmp_path: Path) -> StageCache:
    return StageCache(tmp_path / "cache", tmp_path / "cache.lock", 1000)


def write(tmp_path: Path, name: str, n_bytes: int) -> Path:
    path = tmp_path / "work" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x" * n_bytes)
    return path


def age(tmp_path: Path, key: str, seconds: float) -> None:
    entry = next((tmp_path / "cache").glob(f"*/{key}/{ENTRY}"))
    at = entry.stat().st_mtime - seconds
    os.utime(entry, (at, at))


def test_what_was_kept_comes_back(cache: StageCache, tmp_path: Path) -> None:
    cache.put("song", "key", {"stems": ["vocals"]}, [write(tmp_path, "vocals.wav", 10)])
    into = tmp_path / "other"
    assert cache.get("song", "key", into) == {"stems": ["vocals"]}
    assert (into / "vocals.wav").read_bytes() == b"x" * 10
    assert cache.get("song", "other key", into) is None
    assert cache.get("other song", "key", into) is None


def test_the_cache_outlives_the_work_and_the_work_the_cache(
    cache: StageCache, tmp_path: Path
) -> None:
    """Linked files must not vanish with the folder that they were linked from."""
    work = write(tmp_path, "vocals.wav", 10)
    cache.put("song", "key", {}, [work])
    work.unlink()
    into = tmp_path / "other"
    assert cache.get("song", "key", into) is not None
    cache.forget("song")
    assert (into / "vocals.wav").stat().st_size == 10
    assert cache.get("song", "key", into) is None
    assert not (tmp_path / "cache" / "song").exists()


def test_the_longest_unused_go_first(cache: StageCache, tmp_path: Path) -> None:
    for i, key in enumerate("abc"):
        cache.put("song", key, {}, [write(tmp_path, f"{key}.wav", 250)])
        age(tmp_path, key, 100 - i)
    assert cache.get("song", "a", tmp_path / "used") is not None  # now b is the oldest
    cache.put("other", "d", {}, [write(tmp_path, "d.wav", 250)])
    found = {key: cache.get("song", key, tmp_path / "x") is not None for key in "abc"}
    assert found == {"a": True, "b": False, "c": True}
    assert cache.get("other", "d", tmp_path / "x") is not None


def test_what_is_too_large_is_not_kept(cache: StageCache, tmp_path: Path) -> None:
    """One long mix must not empty the cache of everything else."""
    cache.put("song", "small", {}, [write(tmp_path, "a.wav", 100)])
    cache.put("song", "large", {}, [write(tmp_path, "b.wav", 2000)])
    assert cache.get("song", "large", tmp_path / "x") is None
    assert cache.get("song", "small", tmp_path / "x") is not None


def test_damaged_entries_count_as_absent(cache: StageCache, tmp_path: Path) -> None:
    """A file cut short by a full disk would become a stem."""
    cache.put("song", "key", {}, [write(tmp_path, "a.wav", 100)])
    file = next((tmp_path / "cache").rglob("a.wav"))
    file.unlink()
    file.write_bytes(b"x" * 50)
    assert cache.get("song", "key", tmp_path / "x") is None
    cache.put("song", "key", {}, [write(tmp_path, "a.wav", 100)])
    next((tmp_path / "cache").rglob(ENTRY)).write_text("{")
    assert cache.get("song", "key", tmp_path / "x") is None


def test_no_bytes_means_no_cache(tmp_path: Path) -> None:
    cache = StageCache(tmp_path / "cache", tmp_path / "lock", 0)
    cache.put("song", "key", {}, [write(tmp_path, "a.wav", 1)])
    assert cache.get("song", "key", tmp_path / "x") is None
    assert not list((tmp_path / "cache").rglob("*.wav"))


def test_keys_tell_values_apart() -> None:
    assert make_key(["a", {"x": 1, "y": 2}]) == make_key(["a", {"y": 2, "x": 1}])
    assert len({make_key(parts) for parts in (["a", "b"], ["ab"], ["a", "b", None])}) == 3
