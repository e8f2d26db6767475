"""Target folders of every system, in the notation of every program."""

from typing import Any

import pytest

from core.errors import InvalidOption
from core.export.format import (
    ExportOptions,
    is_absolute,
    locate,
    relative_path,
    target_folder,
    warn_of_tracks,
)
from core.export.location import (
    location_to_serato,
    location_to_traktor,
    location_to_uri,
    parse_location,
    relocate_text,
)
from core.export.model import Crate, CrateTrack, FileKind

FILE = "Music/Ü 100% #1 & co; a+b?.mp3"
ENCODED = "Music/%C3%9C%20100%25%20%231%20%26%20co%3B%20a%2Bb%3F.mp3"

TARGETS = {
    "linux": (
        "/home/dj/Set",
        "linux",
        f"/home/dj/Set/{FILE}",
        f"file://localhost/home/dj/Set/{ENCODED}",
        ("", "/:home/:dj/:Set/:Music/:"),
        f"home/dj/Set/{FILE}",
    ),
    "macos": (
        "/Users/dj/Set",
        "macos",
        f"/Users/dj/Set/{FILE}",
        f"file://localhost/Users/dj/Set/{ENCODED}",
        ("Macintosh HD", "/:Users/:dj/:Set/:Music/:"),
        f"Users/dj/Set/{FILE}",
    ),
    "volume": (
        "/Volumes/MY STICK",
        "macos",
        f"/Volumes/MY STICK/{FILE}",
        f"file://localhost/Volumes/MY%20STICK/{ENCODED}",
        ("MY STICK", "/:Music/:"),
        FILE,
    ),
    "drive": (
        "c:\\DJ\\Set",
        "windows",
        "C:\\DJ\\Set\\Music\\Ü 100% #1 & co; a+b?.mp3",
        f"file://localhost/C:/DJ/Set/{ENCODED}",
        ("C:", "/:DJ/:Set/:Music/:"),
        f"DJ/Set/{FILE}",
    ),
    "drive root": (
        "E:\\",
        "windows",
        "E:\\Music\\Ü 100% #1 & co; a+b?.mp3",
        f"file://localhost/E:/{ENCODED}",
        ("E:", "/:Music/:"),
        FILE,
    ),
    "slashes": (
        "D:/DJ//Set/./",
        "windows",
        "D:\\DJ\\Set\\Music\\Ü 100% #1 & co; a+b?.mp3",
        f"file://localhost/D:/DJ/Set/{ENCODED}",
        ("D:", "/:DJ/:Set/:Music/:"),
        f"DJ/Set/{FILE}",
    ),
    "share": (
        "\\\\nas\\dj\\Set",
        "windows",
        "\\\\nas\\dj\\Set\\Music\\Ü 100% #1 & co; a+b?.mp3",
        f"file://nas/dj/Set/{ENCODED}",
        ("//nas/dj", "/:Set/:Music/:"),
        f"Set/{FILE}",
    ),
}


@pytest.mark.parametrize("case", TARGETS)
def test_each_program_finds_the_file_in_its_own_notation(case: Any) -> None:
    """A double slash, a lost drive or a raw # shows the playlist with every file missing."""
    folder, system, native, uri, traktor, serato = TARGETS[case]
    location = parse_location(folder).join(FILE)
    assert location.system == system
    assert location.native == native
    assert location_to_uri(location, host="localhost") == uri
    assert location_to_uri(location) == uri.replace("//localhost/", "///")
    assert location_to_traktor(location) == (*traktor, FILE.split("/")[1])
    assert location_to_serato(location) == serato


@pytest.mark.parametrize("case", TARGETS)
def test_a_native_path_reads_back_as_itself(case: Any) -> None:
    location = parse_location(TARGETS[case][0])
    assert parse_location(location.native) == location


@pytest.mark.parametrize(
    ("folder", "system"),
    [
        ("Music/Set", None),
        ("", None),
        ("C:DJ", None),
        ("/home/../etc", None),
        ("C:\\DJ\\..\\x", None),
        ("/home/a\nb", None),
        ("/home/\ud800", None),
        ("/home/dj", "windows"),
        ("C:\\DJ", "macos"),
    ],
)
def test_folders_that_are_none_are_refused_by_name(folder: Any, system: Any) -> None:
    with pytest.raises(InvalidOption, match="target folder") as caught:
        target_folder(folder, system)
    assert caught.value.field == "target"


def test_the_system_that_is_named_decides_over_the_looks_of_the_path() -> None:
    """A Linux disk can be mounted below /Volumes, and has no macOS volume then."""
    assert location_to_traktor(parse_location("/Volumes/X/a.mp3", "linux"))[0] == ""
    assert location_to_traktor(parse_location("/srv/a.mp3", "macos"))[0] == "Macintosh HD"


def test_a_colon_in_a_name_does_not_end_traktors_folder() -> None:
    assert location_to_traktor(parse_location("/a:b/c:d.mp3", "linux")) == (
        "",
        "/:a//b/:",
        "c//d.mp3",
    )


def test_spelling_of_a_file_on_disk_is_kept_and_of_an_exported_one_is_nfc() -> None:
    """On Linux a name in NFD is another file than one in NFC."""
    options = ExportOptions(target=target_folder("/t"))
    on_disk = make_track(path="/music/e\u0301.mp3")
    assert locate(on_disk, options).native == "/music/e\u0301.mp3"
    assert locate(make_track(path="e\u0301.mp3"), options).native == "/t/é.mp3"
    assert relative_path(make_track(path="e\u0301.mp3"), options) == "é.mp3"


@pytest.mark.parametrize(
    ("path", "target", "expected"),
    [
        ("/m/set/a.mp3", "/m/set", "a.mp3"),
        ("/m/settle/a.mp3", "/m/set", "/m/settle/a.mp3"),
        ("C:\\m\\set\\a.mp3", "c:/m", "set/a.mp3"),
        ("C:\\m\\a.mp3", "D:\\m", "C:\\m\\a.mp3"),
        ("/m/a.mp3", None, "/m/a.mp3"),
    ],
)
def test_a_file_below_the_target_is_named_relative_to_it(
    path: Any, target: str | None, expected: Any
) -> None:
    options = ExportOptions(target=target_folder(target) if target else None)
    assert relative_path(make_track(path=path), options) == expected


def test_long_paths_and_missing_files_are_told_and_exported() -> None:
    """rekordbox refuses a path above 255 characters without a word."""
    options = ExportOptions(target=target_folder("C:\\" + "x" * 200))
    fits, long = make_track(path="a" * 47 + ".mp3"), make_track(path="a" * 60 + ".mp3", id="2")
    gone = make_track(path="b.mp3", id="3", title="Gone", is_missing=True)
    warnings = warn_of_tracks(Crate("x", (fits, long, gone)), options, needs_paths=True)
    assert len(warnings) == 2
    assert "'Gone'" in warnings[0]
    assert "268 characters" in warnings[1]
    assert "255" in warnings[1]


def test_paths_of_all_systems_are_told_from_relative_ones() -> None:
    absolute = ["/a", "C:\\a", "c:/a", "\\\\h\\s"]
    assert all(map(is_absolute, absolute))
    assert not any(map(is_absolute, ["a", "a/b", "C", "#:", ""]))


def test_moving_a_share_into_its_own_folder_moves_it_once() -> None:
    """A share's URI has its own host; with one more prefix replaced, the folder comes twice."""
    old, new = parse_location("\\\\nas\\dj"), parse_location("\\\\nas\\dj\\sub")
    assert relocate_text("file://nas/dj/a.mp3", old, new) == "file://nas/dj/sub/a.mp3"


def make_track(path: str, **facts: Any) -> CrateTrack:
    return CrateTrack(
        **{"id": "1", "file": FileKind.MP3, "title": "T", "duration_s": 1.0, **facts}, path=path
    )
