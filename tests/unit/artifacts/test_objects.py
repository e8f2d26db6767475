"""Files in an object store and their copies; the store is one in memory, by the same client."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from core.artifacts.objects import CHUNK_BYTES, Objects, remove_copies
from core.errors import StorageUnavailable

NAME = "uploads/abc/audio"
DATA = os.urandom(CHUNK_BYTES + 1000)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects("memory:///", tmp_path, 10**9)


def put(objects: Objects, folder: Path, name: str = NAME, data: bytes = DATA) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    objects.put(name)
    return path


def test_a_copy_is_fetched_once_and_looks_the_same_everywhere(
    objects: Objects, tmp_path: Path
) -> None:
    """ZIPs have the times of their files: those of two hosts must be the same bytes."""
    path = put(objects, tmp_path)
    stored_ns = path.stat().st_mtime_ns
    path.unlink()
    assert objects.copy(NAME, sha256=SHA256).read_bytes() == DATA
    assert path.stat().st_mtime_ns == stored_ns
    objects.remove_below("uploads/abc")
    assert objects.copy(NAME).read_bytes() == DATA
    assert objects.size(NAME) is None


def test_what_is_not_stored_leaves_nothing(objects: Objects, tmp_path: Path) -> None:
    assert not objects.copy("uploads/nothing/audio").exists()
    assert objects.size(NAME) is None
    assert objects.read(NAME) is None
    with pytest.raises(FileNotFoundError):
        objects.stream(NAME, range(1))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_copy_that_is_not_what_was_stored_is_not_kept(objects: Objects, tmp_path: Path) -> None:
    """A job would separate whatever the store made of the upload."""
    path = put(objects, tmp_path)
    path.unlink()
    with pytest.raises(StorageUnavailable, match="not what was stored"):
        objects.copy(NAME, sha256="0" * 64)
    assert list(path.parent.iterdir()) == []
    assert objects.copy(NAME, sha256=SHA256[:16]).exists(), "names hold the first digits"


def test_a_part_of_an_object_is_streamed(objects: Objects, tmp_path: Path) -> None:
    put(objects, tmp_path)
    part = range(CHUNK_BYTES - 10, CHUNK_BYTES + 10)
    assert b"".join(objects.stream(NAME, part)) == DATA[part.start : part.stop]


def test_only_what_is_below_a_folder_is_removed(objects: Objects, tmp_path: Path) -> None:
    """The names of two jobs may begin alike."""
    for name in ("outputs/a/1", "outputs/a/b/2", "outputs/ab/3"):
        put(objects, tmp_path, name)
    objects.remove_below("outputs/a")
    assert objects.names("") == ["outputs/ab/3"]


def test_copies_that_were_not_asked_for_longest_make_room(tmp_path: Path) -> None:
    """The disk of a host holds what it works on, not all that was ever stored."""
    now_s = time.time()
    ages_s = {
        "uploads/a/audio": 7200,
        "outputs/b/c": 3600,
        "outputs/b/.work/0/x": 9000,
        "logs/d": 1,
    }
    for name, age_s in ages_s.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100)
        os.utime(path, (now_s - age_s, 0))
    remove_copies(tmp_path, max_bytes=100)
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {*ages_s} - {"uploads/a/audio"}
    os.utime(tmp_path / "outputs/b/c", (now_s, 0))
    remove_copies(tmp_path, max_bytes=0)
    assert (tmp_path / "outputs/b/c").exists(), "it is in use"
    os.utime(tmp_path / "outputs/b/c", (now_s - 90_000, 0))
    remove_copies(tmp_path, max_bytes=1000)
    assert not (tmp_path / "outputs/b/c").exists(), "its job may be gone"
