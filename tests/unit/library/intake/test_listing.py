"""Which files a user means: folders, playlists, links, and what cannot be read."""

import os
from pathlib import Path
from typing import Any

import pytest

from core.library.intake.listing import list_files


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    (folder / "deep" / "deeper").mkdir(parents=True)
    for name in ("b.MP3", "a.flac", "deep/c.wav", "deep/deeper/d.opus", "cover.jpg", ".hidden.mp3"):
        (folder / name).touch()
    return folder


def names(listing: Any) -> list[Any]:
    return [path.name for path in listing.files]


def test_a_folder_stands_for_the_audio_below_it(music: Path) -> None:
    """Covers and the shadows that other systems leave (._x) are no recordings."""
    (music / "._b.MP3").touch()
    listing = list_files([music])
    assert names(listing) == ["a.flac", "b.MP3", "c.wav", "d.opus"]
    assert listing.refusals == ()


def test_a_file_that_is_named_itself_counts_whatever_its_suffix(music: Path) -> None:
    assert names(list_files([music / "cover.jpg", music / ".hidden.mp3"])) == [
        "cover.jpg",
        ".hidden.mp3",
    ]


def test_links_lead_to_one_file_and_loops_end(music: Path) -> None:
    """One game package showed every track six times; a link to a parent never ends."""
    (music / "link.flac").symlink_to(music / "a.flac")
    (music / "deep" / "up").symlink_to(music)
    (music / "self.mp3").symlink_to(music / "self.mp3")
    (music / "gone.mp3").symlink_to(music / "nowhere.mp3")
    listing = list_files([music, music / "deep", music / "link.flac"])
    assert sorted(names(listing)) == ["a.flac", "b.MP3", "c.wav", "d.opus"]
    assert all(not path.is_symlink() for path in listing.files)
    assert {Path(refusal.path).name for refusal in listing.refusals} == {"self.mp3", "gone.mp3"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_playlist_stands_for_its_entries(music: Path, encoding: str) -> None:
    """Programs write paths in five ways; an entry that has gone must not stop the others."""
    (music / "Träume #1.mp3").touch()
    (music / "50%25.mp3").touch()
    playlist = music / "deep" / "set.m3u8"
    lines = [
        "#EXTM3U",
        "#EXTINF:123,Artist - Title",
        "../Träume #1.mp3",
        str(music / "a.flac"),
        "..\\b.MP3",
        f"file://{music}/deep/c.wav",
        "deeper%2Fd.opus",
        "../50%25.mp3",
        "",
        "../missing.mp3",
        "https://example.org/stream.mp3",
    ]
    playlist.write_bytes("\r\n".join(lines).encode(encoding))
    listing = list_files([playlist])
    assert names(listing) == ["Träume #1.mp3", "a.flac", "b.MP3", "c.wav", "d.opus", "50%25.mp3"]
    messages = [refusal.error.message for refusal in listing.refusals]
    assert len(messages) == 2
    assert "missing.mp3 does not exist" in messages[0]
    assert "address" in messages[1]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A pipe would be waited for without end; a name that is not UTF-8 fits no database."""
    os.mkfifo(tmp_path / "pipe.wav")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.wav")).touch()
    listing = list_files([tmp_path, tmp_path / "nothing.wav"])
    assert listing.files == ()
    reasons = sorted(refusal.error.message for refusal in listing.refusals)
    assert len(reasons) == 3
    assert any("is not a regular file" in reason for reason in reasons)
    assert any("not UTF-8" in reason for reason in reasons)
    assert any("does not exist" in reason for reason in reasons)
    for refusal in listing.refusals:
        (refusal.path + refusal.error.message).encode()
