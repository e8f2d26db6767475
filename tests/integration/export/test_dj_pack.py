"""The DJ pack, unpacked and used as a DJ would."""

import json
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest

from core.audio.tags import read_tags
from core.errors import UnsupportedFormat
from core.export.dj_pack import TrackFiles, stage_dj_pack
from core.export.format import ExportOptions, target_folder
from core.export.model import Crate, CratePlaylist
from core.export.pack import open_pack, write_pack
from tests.integration.export.crates import make_track, write_audio

NAMES = ("mp3", "wav", "m4a")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
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
        files[name] = TrackFiles(audio, {"Track [vocals].wav": stem}, stem_file)
    return files


@pytest.fixture
def crate():
    tracks = tuple(make_track(name, number) for number, name in enumerate(NAMES, start=1))
    # Two of one title, and one whose title is a path.
    tracks = (
        tracks[0],
        replace(tracks[1], title=tracks[0].title),
        replace(tracks[2], title="../x"),
    )
    return Crate("Set: A/B", tracks, (CratePlaylist("Dark Techno Set", ("m4a", "mp3", "wav")),))


def unpack(staged, folder):
    path = write_pack(staged.entries, folder / "pack.zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def stage(crate, source, tmp_path, **options):
    staging = tmp_path / "staging"
    staging.mkdir(exist_ok=True)
    return stage_dj_pack(crate, source, staging, ExportOptions(**options))


def test_the_pack_holds_all_that_a_dj_takes_along(crate, source, tmp_path):
    staged = stage(crate, source, tmp_path, target=target_folder("/Volumes/STICK"))
    root = unpack(staged, tmp_path)
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
    assert staged.warnings == ()
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


def test_originals_are_never_touched(crate, source, tmp_path):
    before = {name: files.audio.read_bytes() for name, files in source.items()}
    stage(crate, source, tmp_path)
    assert {name: files.audio.read_bytes() for name, files in source.items()} == before


@pytest.mark.parametrize("first", ["C:\\DJ & co", "E:\\", "/home/dj", "\\\\nas\\dj", "/Volumes/S"])
def test_relocating_gives_what_an_export_for_that_folder_would_be(crate, source, tmp_path, first):
    """A path that is left behind in one program shows every file as missing there."""
    staged = stage(crate, source, tmp_path, target=target_folder(first))
    root = unpack(staged, tmp_path)
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
    again = stage_dj_pack(crate, source, fresh, ExportOptions(target=target_folder(str(moved))))
    expected = unpack(again, fresh)
    for name in names:
        assert (moved / name).read_bytes() == (expected / name).read_bytes()
    tracks = ElementTree.parse(moved / "rekordbox/rekordbox.xml").getroot().iter("TRACK")
    places = [urlsplit(track.get("Location")) for track in tracks if track.get("Location")]
    assert len(places) == 3
    for place in places:
        assert Path(unquote(place.path)).is_file()


def test_relocating_to_a_named_folder_and_back_changes_nothing(crate, source, tmp_path):
    root = unpack(stage(crate, source, tmp_path, target=target_folder("C:\\DJ")), tmp_path)
    names = ("rekordbox/rekordbox.xml", "traktor/collection.nml", "pack.json")
    before = [(root / name).read_bytes() for name in names]
    for folder in ("/Users/dj/Set", "\\\\nas\\dj\\x", "E:\\", "C:\\DJ"):
        command = [sys.executable, "-I", str(root / "relocate.py"), folder]
        subprocess.run(command, capture_output=True, check=True)
    assert [(root / name).read_bytes() for name in names] == before


def test_a_target_inside_a_disk_gets_serato_paths_of_its_own(crate, source, tmp_path):
    root = unpack(stage(crate, source, tmp_path), tmp_path)
    stick = (root / "_Serato_/database V2").read_bytes()
    disk = (root / "serato/_Serato_/database V2").read_bytes()
    assert "Stemcrate/Set - A-B/Music/".encode("utf-16-be") in disk
    assert "Stemcrate".encode("utf-16-be") not in stick
    assert "C:\\Stemcrate\\Set" in (root / "README.txt").read_bytes().decode()


def test_missing_files_are_listed_and_stop_nothing(crate, source, tmp_path):
    """A library outlives its files: one that has moved must not cost the whole pack."""
    gone = TrackFiles(tmp_path / "gone.mp3", {"Vocals.wav": tmp_path / "gone.wav"})
    staged = stage(crate, {"mp3": gone, "wav": source["wav"]}, tmp_path)
    text = "\n".join(staged.warnings)
    assert "Ünï & set" in text
    assert "'Åse & Øyvind - ../x'" in text
    assert "Vocals.wav' is not in the pack" in text
    root = unpack(staged, tmp_path)
    assert len(list((root / "Music").iterdir())) == 1
    assert "Not in this pack" in (root / "README.txt").read_bytes().decode()
    library = json.loads((root / "crate.json").read_text("utf-8"))
    assert [track["is_missing"] for track in library["tracks"]] == [True, False, True]


def test_a_file_that_takes_no_tags_goes_in_as_it_is(crate, source, tmp_path):
    wrong = TrackFiles(source["wav"].audio)
    staged = stage(crate, {**source, "mp3": wrong}, tmp_path)
    assert any("carries no tags" in warning for warning in staged.warnings)
    root = unpack(staged, tmp_path)
    assert len(list((root / "Music").iterdir())) == 3


def test_stems_whose_names_become_the_same_are_both_there(crate, source, tmp_path):
    """Two files of one name would stop the whole ZIP."""
    stem = source["mp3"].stems["Track [vocals].wav"]
    stems = {"a?.wav": stem, "a*.wav": stem, "../a.wav": stem}
    staged = stage(crate, {"mp3": replace(source["mp3"], stems=stems)}, tmp_path)
    names = [entry.name_in_zip for entry in staged.entries if entry.name_in_zip.startswith("Stems")]
    assert [name.rsplit("/")[-1] for name in names] == ["a.wav", "a (2).wav", "a (3).wav"]
    open_pack(staged.entries)


def test_only_the_formats_asked_for_are_packed(crate, source, tmp_path):
    staging = tmp_path / "staging"
    staging.mkdir()
    staged = stage_dj_pack(crate, source, staging, ExportOptions(), formats=("m3u8",))
    names = {entry.name_in_zip for entry in staged.entries}
    assert not any(name.startswith(("rekordbox/", "_Serato_/", "serato/")) for name in names)
    with pytest.raises(UnsupportedFormat):
        stage_dj_pack(crate, source, staging, ExportOptions(), formats=("m3u8", "pdf"))


def test_the_zip_is_streamed_and_says_its_length(crate, source, tmp_path):
    big = tmp_path / "big.wav"
    with big.open("wb") as file:
        file.truncate(32 * 2**20)
    files = {**source, "wav": replace(source["wav"], stems={"big.wav": big})}
    pack = open_pack(stage(crate, files, tmp_path).entries)
    tracemalloc.start()
    length = sum(map(len, pack))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length == pack.size_bytes > 32 * 2**20
    assert peak < 8 * 2**20


def test_an_empty_crate_is_a_pack(tmp_path):
    root = unpack(stage(Crate("Empty", ()), {}, tmp_path), tmp_path)
    assert (root / "Empty.m3u8").is_file()
