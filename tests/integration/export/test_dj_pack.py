"""The DJ pack, unpacked and used as a DJ would."""

import json
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest

from core.audio.tagging.tags import read_tags
from core.errors import InvalidAudio, UnsupportedFormat
from core.export.dj_pack import DjPack, TrackFiles
from core.export.format import ExportOptions, target_folder
from core.export.model import Crate, CratePlaylist
from core.export.pack import stream_pack, write_pack
from tests.integration.export.crates import make_track, write_audio

NAMES = ("mp3", "wav", "m4a")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrackFiles]:
    """Three recordings with stems, somewhere on disk."""
    folder = tmp_path_factory.mktemp("source")
    files = {}
    for name in NAMES:
        audio = folder / f"upload-{name}"
        write_audio(audio, name)
        stem = folder / f"{name}-vocals.wav"
        stem.write_bytes(b"RIFF" + name.encode())
        stem_file = folder / f"{name}.stem.mp4"
        stem_file.write_bytes(b"ftyp" + name.encode())
        write_stem_file = partial(shutil.copyfile, stem_file)
        files[name] = TrackFiles(audio, {"Track [vocals].wav": stem}, write_stem_file)
    return files


@pytest.fixture
def crate() -> Crate:
    tracks = tuple(make_track(name, number) for number, name in enumerate(NAMES, start=1))
    # Two of one title, and one whose title is a path.
    tracks = (
        tracks[0],
        replace(tracks[1], title=tracks[0].title),
        replace(tracks[2], title="../x"),
    )
    return Crate("Set: A/B", tracks, (CratePlaylist("Dark Techno Set", ("m4a", "mp3", "wav")),))


def entries(pack: Any, folder: Path) -> Any:
    staging = folder / "staging"
    staging.mkdir()
    return pack.entries(staging)


def unpack(pack: Any, folder: Path) -> Path:
    path = write_pack(entries(pack, folder), folder / "pack.zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def make(crate: Any, source: Any, **options: Any) -> DjPack:
    return DjPack(crate, source, ExportOptions(**options))


def test_the_pack_holds_all_that_a_dj_takes_along(crate: Any, source: Any, tmp_path: Path) -> None:
    pack = make(crate, source, target=target_folder("/Volumes/STICK"))
    root = unpack(pack, tmp_path)
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    first = "Åse & Øyvind - Ünï & set"
    assert found == {
        "README.txt",
        "pack.json",
        "relocate.py",
        "crate.json",
        *(f"Dark Techno Set.{suffix}" for suffix in ("m3u8", "xspf", "cue", "csv")),
        "rekordbox/rekordbox.xml",
        "traktor/collection.nml",
        "itunes/iTunes Music Library.xml",
        "_Serato_/database V2",
        "_Serato_/Subcrates/Dark Techno Set.crate",
        *(
            f"{folder}{label}{rest}"
            for label, suffix in (
                (first, "mp3"),
                (f"{first} (2)", "wav"),
                ("Åse & Øyvind - ..-x", "m4a"),
            )
            for folder, rest in (
                ("Music/", f".{suffix}"),
                ("Stems/", "/Track [vocals].wav"),
                ("STEM/", ".stem.mp4"),
                ("Covers/", ".png"),
            )
        ),
    }
    assert pack.warnings == []
    lines = (root / "Dark Techno Set.m3u8").read_text("utf-8").splitlines()
    paths = [line for line in lines if not line.startswith("#")]
    assert len(paths) == 3
    assert all((root / path).is_file() for path in paths)
    assert read_tags(root / paths[1]).bpm == 121.0
    database = (root / "_Serato_/database V2").read_bytes()
    assert all(path.encode("utf-16-be") in database for path in paths)
    readme = (root / "README.txt").read_bytes().decode()
    assert "/Volumes/STICK/README.txt\r\n" in readme
    for program in ("rekordbox", "Traktor", "Serato", "Engine DJ", "Mixxx"):
        assert program in readme
    facts = json.loads((root / "pack.json").read_text("utf-8"))
    assert facts["target"] == "/Volumes/STICK"
    assert facts["mp3_offset_ms"] == {"serato": {"mp3": 26.0}}


def test_originals_are_never_touched(crate: Any, source: Any, tmp_path: Path) -> None:
    before = {name: files.audio.read_bytes() for name, files in source.items()}
    unpack(make(crate, source), tmp_path)
    assert {name: files.audio.read_bytes() for name, files in source.items()} == before


@pytest.mark.parametrize("first", ["C:\\DJ & co", "E:\\", "/home/dj", "\\\\nas\\dj", "/Volumes/S"])
def test_relocating_gives_what_an_export_for_that_folder_would_be(
    crate: Any, source: Any, tmp_path: Path, first: str
) -> None:
    """A path that is left behind in one program shows every file as missing there."""
    root = unpack(make(crate, source, target=target_folder(first)), tmp_path)
    shutil.copytree(root, tmp_path / "elsewhere #1")
    moved = tmp_path / "elsewhere #1"
    done = subprocess.run(
        [sys.executable, "-I", str(moved / "relocate.py")],
        capture_output=True,
        text=True,
        check=True,
    )
    names = done.stdout.splitlines()
    is_root = first in ("E:\\", "\\\\nas\\dj", "/Volumes/S")
    assert len(names) == (3 if is_root else 5)
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    expected = unpack(make(crate, source, target=target_folder(str(moved))), fresh)
    for name in names:
        assert (moved / name).read_bytes() == (expected / name).read_bytes()
    tracks = ElementTree.parse(moved / "rekordbox/rekordbox.xml").getroot().iter("TRACK")
    places = [urlsplit(track.get("Location")) for track in tracks if track.get("Location")]
    assert len(places) == 3
    for place in places:
        assert Path(unquote(place.path)).is_file()


def test_relocating_to_a_named_folder_and_back_changes_nothing(
    crate: Any, source: Any, tmp_path: Path
) -> None:
    root = unpack(make(crate, source, target=target_folder("C:\\DJ")), tmp_path)
    names = ("rekordbox/rekordbox.xml", "traktor/collection.nml", "pack.json")
    before = [(root / name).read_bytes() for name in names]
    for folder in ("/Users/dj/Set", "\\\\nas\\dj\\x", "E:\\", "C:\\DJ"):
        command = [sys.executable, "-I", str(root / "relocate.py"), folder]
        subprocess.run(command, capture_output=True, check=True)
    assert [(root / name).read_bytes() for name in names] == before


def test_a_target_inside_a_disk_gets_serato_paths_of_its_own(
    crate: Any, source: Any, tmp_path: Path
) -> None:
    root = unpack(make(crate, source), tmp_path)
    stick = (root / "_Serato_/database V2").read_bytes()
    disk = (root / "serato/_Serato_/database V2").read_bytes()
    assert "Stemcrate/Set - A-B/Music/".encode("utf-16-be") in disk
    assert "Stemcrate".encode("utf-16-be") not in stick
    assert "C:\\Stemcrate\\Set" in (root / "README.txt").read_bytes().decode()


def test_missing_files_are_listed_and_stop_nothing(crate: Any, source: Any, tmp_path: Path) -> None:
    """A library outlives its files: one that has moved must not cost the whole pack."""
    gone = TrackFiles(tmp_path / "gone.mp3", {"Vocals.wav": tmp_path / "gone.wav"})
    pack = make(crate, {"mp3": gone, "wav": source["wav"]})
    text = "\n".join(pack.warnings)
    assert "Ünï & set" in text
    assert "'Åse & Øyvind - ../x'" in text
    root = unpack(pack, tmp_path)
    assert "Vocals.wav' is not in the pack" in "\n".join(pack.warnings)
    assert len(set(pack.warnings)) == len(pack.warnings) == 3
    assert len(list((root / "Music").iterdir())) == 1
    assert "Not in this pack" in (root / "README.txt").read_bytes().decode()
    library = json.loads((root / "crate.json").read_text("utf-8"))
    assert [track["is_missing"] for track in library["tracks"]] == [True, False, True]


def test_a_file_that_takes_no_tags_goes_in_as_it_is(
    crate: Any, source: Any, tmp_path: Path
) -> None:
    wrong = TrackFiles(source["wav"].audio)
    pack = make(crate, {**source, "mp3": wrong})
    root = unpack(pack, tmp_path)
    assert any("carries no tags" in warning for warning in pack.warnings)
    assert len(list((root / "Music").iterdir())) == 3


def test_stems_whose_names_become_the_same_are_both_there(
    crate: Any, source: Any, tmp_path: Path
) -> None:
    """Two files of one name would stop the whole ZIP."""
    stem = source["mp3"].stems["Track [vocals].wav"]
    stems = {"a?.wav": stem, "a*.wav": stem, "../a.wav": stem}
    root = unpack(make(crate, {"mp3": replace(source["mp3"], stems=stems)}), tmp_path)
    names = sorted(path.name for path in root.glob("Stems/*/*"))
    assert names == ["a (2).wav", "a (3).wav", "a.wav"]


def test_only_the_formats_asked_for_are_packed(crate: Any, source: Any, tmp_path: Path) -> None:
    root = unpack(DjPack(crate, source, ExportOptions(), formats=("m3u8",)), tmp_path)
    assert (root / "Dark Techno Set.m3u8").is_file()
    assert not any((root / name).exists() for name in ("rekordbox", "_Serato_", "serato"))
    with pytest.raises(UnsupportedFormat):
        DjPack(crate, source, ExportOptions(), formats=("m3u8", "pdf"))


def test_every_file_is_made_when_its_turn_comes_and_goes_when_it_is_out(
    crate: Any, source: Any, tmp_path: Path
) -> None:
    """A client waited for the STEM files of the whole set, seconds each, before the first byte."""
    made, staging = [], tmp_path / "staging"

    def write_stem_file(name: str, path: Path) -> None:
        made.append(name)
        path.write_bytes(b"ftyp")

    files = {
        name: replace(files, write_stem_file=partial(write_stem_file, name))
        for name, files in source.items()
    }
    most, seen_before = 0, {}
    for entry in entries(make(crate, files), tmp_path):
        seen_before.setdefault(entry.name_in_zip.partition("/")[0], tuple(made))
        most = max(most, sum(path.is_file() for path in staging.rglob("*")))
    assert seen_before["Music"] == seen_before["Stems"] == ()
    assert seen_before["STEM"] == ("mp3",)
    assert most == 1


def test_a_stem_file_that_cannot_be_made_is_told_and_stops_nothing(
    crate: Any, source: Any, tmp_path: Path
) -> None:
    def write_stem_file(path: Path) -> None:
        raise InvalidAudio("A stem is no audio.")

    pack = make(crate, {"wav": replace(source["wav"], write_stem_file=write_stem_file)})
    root = unpack(pack, tmp_path)
    assert "' has no STEM file: A stem is no audio." in pack.warnings[-1]
    assert json.loads((root / "pack.json").read_text("utf-8"))["warnings"] == pack.warnings


def test_the_zip_is_streamed(crate: Any, source: Any, tmp_path: Path) -> None:
    big = tmp_path / "big.wav"
    with big.open("wb") as file:
        file.truncate(32 * 2**20)
    files = {**source, "wav": replace(source["wav"], stems={"big.wav": big})}
    chunks = stream_pack(entries(make(crate, files), tmp_path))
    tracemalloc.start()
    length = sum(map(len, chunks))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length > 32 * 2**20
    assert peak < 8 * 2**20


def test_an_empty_crate_is_a_pack(tmp_path: Path) -> None:
    root = unpack(make(Crate("Empty", ()), {}), tmp_path)
    assert (root / "Empty.m3u8").is_file()
