"""The M3U8 playlist, read back."""

from typing import Any

import pytest

from core.export.formats.m3u8 import M3U8Entry, write_m3u8


def parse(data: bytes) -> list[Any]:
    """Read a playlist as a player does: comments start with #, the rest are paths."""
    lines = data.decode().split("\n")
    assert lines[0] == "#EXTM3U"
    return [line for line in lines if line and not line.startswith("#")]


def test_entries_come_back_in_order_with_their_unicode_names() -> None:
    entries = [
        M3U8Entry("01 Ünder/Song [main].wav", "Ünder", "Ärtist", 61.6),
        M3U8Entry("02 日本語.wav", "日本語", None, 10.0),
    ]
    data = write_m3u8(entries, "Set")
    assert parse(data) == [entry.path for entry in entries]
    assert "#PLAYLIST:Set\n#EXTINF:62,Ärtist - Ünder\n" in data.decode()
    assert "#EXTINF:10,日本語\n" in data.decode()


def test_no_byte_order_mark_and_no_carriage_return_which_vlc_shows_as_an_item() -> None:
    data = write_m3u8([M3U8Entry("a.wav", "a\r\nb")], "x")
    assert data.startswith(b"#EXTM3U\n")
    assert b"\r" not in data
    assert data.endswith(b"\n")


def test_a_title_with_a_line_break_cannot_inject_an_entry() -> None:
    data = write_m3u8([M3U8Entry("a.wav", "a\n/etc/passwd", "b\u2028c\x0bd")], "x\n/etc/shadow")
    assert parse(data) == ["a.wav"]


def test_an_entry_that_starts_with_a_hash_is_not_read_as_a_comment() -> None:
    assert parse(write_m3u8([M3U8Entry("#1.wav", "1")], "x")) == ["./#1.wav"]


def test_unknown_duration_is_minus_one_not_zero() -> None:
    for duration in (None, 0.0, -1.0):
        entry = M3U8Entry("a.wav", "a", None, duration)
        assert b"#EXTINF:-1,a\n" in write_m3u8([entry], "x")


def test_an_empty_playlist_is_valid() -> None:
    assert write_m3u8([], "Set") == b"#EXTM3U\n#PLAYLIST:Set\n"


@pytest.mark.parametrize("path", ["", "/abs.wav", "../up.wav", "a\\b.wav", "a\nb.wav", "."])
def test_paths_that_cannot_be_read_back_are_refused(path: str) -> None:
    with pytest.raises(ValueError):
        write_m3u8([M3U8Entry(path, "t")], "x")
