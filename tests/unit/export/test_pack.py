"""The ZIP of a job, opened by an independent reader."""

import io
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from core.errors import ArtefactNotFound
from core.export.pack import PackEntry, open_pack, stream_pack, write_pack


def make_entries(folder: Path) -> Any:
    files = {"01 Ünder/日本語 [vocals].wav": b"v" * 70_000, "Set.m3u8": b"#EXTM3U\n", "empty": b""}
    entries = []
    for number, (name, data) in enumerate(files.items()):
        path = folder / str(number)
        path.write_bytes(data)
        entries.append(PackEntry(name, path))
    return files, entries


def test_another_reader_finds_every_file_whole_under_its_unicode_name(tmp_path: Path) -> None:
    files, entries = make_entries(tmp_path)
    with zipfile.ZipFile(write_pack(entries, tmp_path / "pack.zip")) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())


def test_the_announced_length_is_the_length_or_the_download_breaks_off(tmp_path: Path) -> None:
    pack = open_pack(make_entries(tmp_path)[1])
    assert pack.size_bytes == len(b"".join(pack))


def test_the_same_files_give_the_same_bytes_twice(tmp_path: Path) -> None:
    pack = open_pack(make_entries(tmp_path)[1])
    assert b"".join(pack) == b"".join(pack)


def test_another_file_under_the_same_name_is_another_pack(tmp_path: Path) -> None:
    """A download that is resumed must not append a part of another ZIP."""
    pack = open_pack(make_entries(tmp_path)[1])
    before = pack.fingerprint
    assert pack.fingerprint == before
    path = pack.entries[0].path
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000))
    assert pack.fingerprint != before


def test_no_files_give_a_valid_empty_zip() -> None:
    with zipfile.ZipFile(io.BytesIO(b"".join(open_pack([])))) as archive:
        assert archive.namelist() == []


def test_a_long_file_is_never_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.truncate(64 * 2**20)
    pack = open_pack([PackEntry("long.wav", path)])
    tracemalloc.start()
    length = sum(map(len, pack))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length == pack.size_bytes
    assert peak < 8 * 2**20


def test_a_failed_pack_leaves_nothing_behind(tmp_path: Path) -> None:
    _, entries = make_entries(tmp_path)
    pack = open_pack(entries)
    entries[1].path.unlink()
    with pytest.raises(ArtefactNotFound, match="Set"):
        list(pack)
    with pytest.raises(ArtefactNotFound):
        write_pack(entries, tmp_path / "pack.zip")
    assert {path.name for path in tmp_path.iterdir()} == {"0", "2"}


def test_a_file_that_goes_while_the_zip_is_at_it_is_told_by_its_name(tmp_path: Path) -> None:
    """A job deleted while it was downloaded ended in an error of the system."""
    _, entries = make_entries(tmp_path)
    chunks = stream_pack(entries)
    next(chunks)  # the header of the first file, which has not been opened yet
    entries[0].path.unlink()
    with pytest.raises(ArtefactNotFound, match=r"vocals"):
        list(chunks)


@pytest.mark.parametrize("name", ["", "/abs", "../up", "a/../../up", "a\\b", "folder/"])
def test_no_entry_can_unpack_outside_its_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(ValueError):
        open_pack([PackEntry(name, path)])


def test_two_files_of_one_name_do_not_shadow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(ValueError, match="two files"):
        open_pack([PackEntry("A.wav", path), PackEntry("a.wav", path)])
