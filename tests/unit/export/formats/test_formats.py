"""Collections and playlists, read back by programs that are not ours."""

import csv
import io
import json
import plistlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from pyrekordbox.rbxml import RekordboxXml
from serato_tools.crate import Crate as SeratoCrate
from serato_tools.database_v2 import DatabaseV2
from traktor_nml_utils.models.collection import Nml
from xsdata.formats.dataclass.parsers import XmlParser

from core.errors import InvalidOption, UnsupportedFormat
from core.export.format import Export, ExportFormat, ExportOptions, target_folder
from core.export.model import Crate, CratePlaylist, CrateTrack, FileKind
from core.export.registry import EXPORTERS, export_crate
from tests.integration.export.crates import make_crate
from tests.plugins import install_plugin

TARGET = ExportOptions(target=target_folder("C:\\DJ\\Set"))
NASTY = "a\x00\x0b\ud800\uffff<&>\"'b"
ABSOLUTE = [name for name in EXPORTERS.names() if EXPORTERS.get(name).needs_target]


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Any]:
    """Export and write to disk, as independent readers take files."""

    def write(name: Any, crate: Any = None, options: Any = TARGET) -> Path:
        export = export_crate(crate or make_crate(), name, options)
        for file_name, data in export.files.items():
            path = tmp_path / file_name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return tmp_path

    return write


def test_rekordbox_reads_tracks_grid_cues_and_folders(written: Any) -> None:
    """pyrekordbox: a wrong attribute name or unit is no error, the value is just not there."""
    crate = make_crate()
    library = RekordboxXml(written("rekordbox") / "rekordbox.xml")
    assert library.num_tracks == len(crate.tracks)
    for number, (track, read) in enumerate(
        zip(crate.tracks, library.get_tracks(), strict=True), start=1
    ):
        assert read.TrackID == number
        assert (read.Name, read.Artist, read.Year) == (track.title, track.artist, track.year)
        assert read.AverageBpm == pytest.approx(track.tempo_bpm, abs=0.005)
        assert read.Tonality == track.key_text("short")
        assert (read.SampleRate, read.BitRate) == (track.sample_rate, 320)
        assert read.Location.replace("\\", "/").startswith("C:/DJ/Set/Music/0")
        assert len(read.tempos) == len(track.grid)
        for segment, tempo in zip(track.grid, read.tempos, strict=True):
            assert tempo.Inizio == pytest.approx(segment.start_s, abs=0.0005)
            assert tempo.Bpm == pytest.approx(segment.tempo_bpm, abs=0.005)
            assert (tempo.Metro, tempo.Battito) == ("4/4", segment.beat_in_bar)
        assert [(mark.Type, mark.Num, mark.Start) for mark in read.marks] == [
            ("cue", 0, 0.25),
            ("cue", 1, 2.25),
            ("cue", -1, 1.0),
            ("loop", 2, 4.25),
        ]
        assert read.marks[3].End == 8.25
    assert library.get_playlist("Dark Techno Set").get_tracks() == [8, 7, 6, 5, 4, 3, 2, 1]
    assert library.get_playlist("Gigs", "Frïday").get_tracks() == [4, 1, 3]


def test_rekordbox_cues_have_colours_which_its_own_library_cannot_say(written: Any) -> None:
    root = ElementTree.parse(written("rekordbox") / "rekordbox.xml").getroot()
    mark = root.findall(".//POSITION_MARK")[1]
    assert [mark.get(name) for name in ("Red", "Green", "Blue")] == ["0", "204", "0"]


def test_traktor_reads_tracks_grid_cues_and_playlists(written: Any) -> None:
    """traktor-nml-utils parses by the schema: a value of a wrong type or name is refused."""
    crate = make_crate()
    nml = XmlParser().from_path(written("traktor") / "collection.nml", Nml)
    assert nml.collection.entries == len(crate.tracks)
    keys = []
    for track, entry in zip(crate.tracks, nml.collection.entry, strict=True):
        place = entry.location
        keys.append(place.volume + place.dir + place.file)
        assert (entry.title, entry.artist) == (track.title, track.artist)
        assert place.volume == "C:"
        assert place.dir == "/:DJ/:Set/:Music/:"
        assert float(entry.tempo.bpm) == pytest.approx(track.tempo_bpm)
        markers = [cue for cue in entry.cue_v2 if cue.type == 4]
        starts = [track.grid[0].downbeat_s, *(segment.start_s for segment in track.grid[1:])]
        assert [float(cue.start) / 1000 for cue in markers] == pytest.approx(starts)
        assert [float(cue.grid.bpm) for cue in markers] == pytest.approx(
            [segment.tempo_bpm for segment in track.grid]
        )
        cues = [(cue.type, cue.hotcue, float(cue.start)) for cue in entry.cue_v2 if cue.type != 4]
        assert cues == [(0, 0, 250.0), (0, 1, 2250.0), (0, -1, 1000.0), (5, 2, 4250.0)]
    by_title = {entry.title: entry.musical_key.value_attribute for entry in nml.collection.entry}
    # C major 0 … B major 11, C minor 12 … B minor 23.
    assert by_title["Plain"] == 0
    assert by_title["Emoji 😀; +1"] == 21
    assert by_title["日本語 <live>"] == 18
    assert by_title["Größe"] == 1
    folder, playlist = nml.playlists.node.subnodes.node
    assert (folder.name, playlist.name) == ("Gigs", "Dark Techno Set")
    named = [entry.primarykey.key for entry in playlist.playlist.entry]
    assert named == list(reversed(keys))


def test_serato_crates_and_database_are_read_in_order(written: Any) -> None:
    """serato-tools: order lost or a name cut is what other writers do."""
    crate = make_crate()
    root = written("serato", options=ExportOptions())
    paths = SeratoCrate(str(root / "_Serato_/Subcrates/Dark Techno Set.crate")).tracks()
    assert [path.split(" ")[0] for path in paths] == [f"Music/0{n}" for n in range(8, 0, -1)]
    assert (root / "_Serato_/Subcrates/Gigs%%Frïday.crate").is_file()
    database = DatabaseV2(str(root / "_Serato_/database V2"))
    tracks = [
        {name: text for name, _, text in value}
        for field, _, value in database.data
        if field == "otrk"
    ]
    assert [track["tsng"] for track in tracks] == [track.title for track in crate.tracks]
    assert set(paths) == {track["pfil"] for track in tracks}
    assert tracks[1]["tbpm"] == "127.83"
    assert tracks[1]["tkey"] == "F#m"


def test_itunes_reads_as_a_property_list_with_order_and_folders(written: Any) -> None:
    """Mixxx takes file://localhost/ for a folder that is called localhost."""
    library = plistlib.loads((written("itunes") / "iTunes Music Library.xml").read_bytes())
    track = library["Tracks"]["2"]
    assert track["Location"].startswith("file:///C:/DJ/Set/Music/02%20Tr%C3%A4ck")
    assert (track["Name"], track["BPM"], track["Total Time"]) == ("日本語 <live>", 128, 12_000)
    lists = {entry["Name"]: entry for entry in library["Playlists"]}
    order = [item["Track ID"] for item in lists["Dark Techno Set"]["Playlist Items"]]
    assert order == [8, 7, 6, 5, 4, 3, 2, 1]
    assert lists["Frïday"]["Parent Persistent ID"] == lists["Gigs"]["Playlist Persistent ID"]
    ids = [entry["Playlist ID"] for entry in library["Playlists"]]
    assert len(set(ids)) == len(ids)


def test_xspf_locations_decode_to_the_files(written: Any) -> None:
    root = ElementTree.parse(written("xspf") / "Dark Techno Set.xspf").getroot()
    space = "{http://xspf.org/ns/0/}"
    found = [unquote(element.text or "") for element in root.iter(f"{space}location")]
    assert found[0] == "Music/08 Träck ogg % # & +.ogg"
    assert len(found) == 8
    assert [element.text for element in root.iter(f"{space}duration")] == ["12000"] * 8
    on_disk = Crate("x", (replace(make_crate().tracks[0], path="D:\\a b.mp3"),))
    assert b"<location>file:///D:/a%20b.mp3<" in export_crate(on_disk, "xspf").files["x.xspf"]


def test_cue_sheets_end_at_99_tracks() -> None:
    track = make_crate().tracks[0]
    crate = Crate("Long", (track,), (CratePlaylist("Long", (track.id,) * 100),))
    files = export_crate(crate, "cue").files
    assert list(files) == ["Long.cue", "Long (2).cue"]
    assert files["Long.cue"].count(b"\r\n  TRACK ") == 99
    assert b"  TRACK 01 AUDIO" in files["Long (2).cue"]
    assert b'MP3\r\n  TRACK 01 AUDIO\r\n    TITLE "' in files["Long.cue"]


def test_csv_has_a_row_a_track_and_runs_no_formula() -> None:
    """A title such as =HYPERLINK(…) would be run by a spreadsheet."""
    crate = make_crate()
    evil = replace(crate.tracks[0], title='=HYPERLINK("http://x")')
    crate = replace(crate, tracks=(evil, *crate.tracks[1:]))
    rows = list(
        csv.DictReader(
            io.StringIO(export_crate(crate, "csv").files["Dark Techno Set.csv"].decode())
        )
    )
    assert [row["position"] for row in rows] == [str(n) for n in range(1, 9)]
    assert rows[-1]["title"] == '\'=HYPERLINK("http://x")'
    assert (rows[0]["camelot"], rows[0]["open_key"], rows[0]["tempo_bpm"]) == ("8A", "1m", "128.0")


def test_json_holds_the_whole_model() -> None:
    document = json.loads(export_crate(make_crate(), "json").files["crate.json"])
    track = document["tracks"][1]
    assert (track["key"], track["camelot"], track["open_key"]) == ("F# minor", "11A", "4m")
    assert len(track["grid"]) == 3
    assert track["cues"][1] == {
        "start_s": 2.25,
        "end_s": None,
        "name": "Dröp 😀",
        "pad": 1,
        "colour": "#00CC00",
    }
    assert track["vocals_s"] == [[3.0, 5.5]]
    assert document["playlists"][0]["track_ids"][0] == "ogg"
    assert document["folders"][0]["playlists"][0]["name"] == "Frïday"


def test_m3u8_stays_relative_in_a_target_and_absolute_for_files_that_stay() -> None:
    data = export_crate(make_crate(), "m3u8", TARGET).files["Dark Techno Set.m3u8"].decode()
    assert "\nMusic/08 Träck ogg % # & +.ogg\n" in data
    on_disk = Crate("x", (replace(make_crate().tracks[0], path="/music/a.mp3"),))
    assert b"\n/music/a.mp3\n" in export_crate(on_disk, "m3u8").files["x.m3u8"]


@pytest.mark.parametrize("name", EXPORTERS.names())
def test_the_same_crate_gives_the_same_bytes(name: Any) -> None:
    assert export_crate(make_crate(), name, TARGET) == export_crate(make_crate(), name, TARGET)


@pytest.mark.parametrize("name", EXPORTERS.names())
def test_a_bare_track_and_hostile_texts_are_written(name: Any) -> None:
    """Unknown tempo, key and grid; control characters and lone surrogates, which end a parser."""
    track = CrateTrack("1", "a.mp3", FileKind.MP3, NASTY, 0.0, artist=NASTY, comment=NASTY)
    crate = Crate(NASTY, (track,), (CratePlaylist(NASTY, ("1",)),))
    export = export_crate(crate, name, TARGET)
    for file_name, data in export.files.items():
        assert "/../" not in file_name
        if data.startswith(b"<?xml"):
            text = ElementTree.fromstring(data)
            values = {value for element in text.iter() for value in element.attrib.values()}
            assert not values & {"0.00", "None", "nan"}


@pytest.mark.parametrize("name", EXPORTERS.names())
def test_an_empty_crate_is_a_valid_file(name: Any) -> None:
    export = export_crate(Crate("Empty", ()), name, TARGET)
    assert export.files
    assert all(export.files.values())


@pytest.mark.parametrize("name", ABSOLUTE)
def test_absolute_formats_ask_for_the_target(name: Any) -> None:
    """A relative path in them would show every file as missing, without a word."""
    with pytest.raises(InvalidOption, match="absolute paths") as caught:
        export_crate(make_crate(), name, ExportOptions())
    assert caught.value.field == "target"


def test_names_with_path_characters_stay_in_the_folder() -> None:
    """A playlist called ../../x must not be written there, nor two share a file."""
    ids = (make_crate().tracks[0].id,)
    lists = tuple(CratePlaylist(name, ids) for name in ("../../x", "..\\..\\x", "a%%b", "CON"))
    crate = replace(make_crate(), playlists=lists, folders=())
    for name in ("m3u8", "serato"):
        files = export_crate(crate, name).files
        assert len(files) == 4 + (name == "serato")
        assert all(".." not in file_name.replace("...", "") for file_name in files)
    assert "_Serato_/Subcrates/a%b.crate" in export_crate(crate, "serato").files


def test_formats_of_others_register_and_names_are_taken_once() -> None:
    mine = ExportFormat("mine", "Mine", lambda crate, options: Export({"x": crate.name.encode()}))
    EXPORTERS.register(mine.name, mine)
    try:
        assert export_crate(make_crate(), "mine").files == {"x": b"Collection"}
        with pytest.raises(ValueError, match="taken"):
            EXPORTERS.register(mine.name, mine)
    finally:
        EXPORTERS.unregister("mine")
    with pytest.raises(UnsupportedFormat, match="rekordbox") as caught:
        export_crate(make_crate(), "mine")
    assert caught.value.field == "format"


def test_formats_of_installed_packages_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plug-in is a package's entry point; here is one as pip would install it."""
    code = (
        "from stemcrate.plugins import Export, ExportFormat\n"
        "FORMAT = ExportFormat('plug', 'Plug', lambda crate, options: Export({'p': b'in'}))\n"
    )
    points = "[stemcrate.exporters]\nplug = plug_in_format:FORMAT\n"
    install_plugin(tmp_path, "plug-in-format", {"plug_in_format.py": code}, points)
    monkeypatch.syspath_prepend(tmp_path)
    assert "plug" in EXPORTERS.names()
    assert export_crate(make_crate(), "plug").files == {"p": b"in"}


def test_silence_has_a_loudness_that_no_format_writes_as_a_number() -> None:
    """Minus infinity is no JSON, and no gain."""
    infinity = float("-inf")
    track = replace(
        make_crate().tracks[0], integrated_loudness_lufs=infinity, true_peak_dbtp=infinity
    )
    crate = Crate("x", (track,))
    assert (
        json.loads(export_crate(crate, "json").files["crate.json"])["tracks"][0][
            "integrated_loudness_lufs"
        ]
        is None
    )
    for name in EXPORTERS.names():
        *_, content = export_crate(crate, name, TARGET).files.values()
        assert b"inf," not in content
    with pytest.raises(ValueError, match="duration"):
        replace(track, duration_s=float("nan"))


def test_a_key_can_be_written_as_djs_sort_it() -> None:
    options = replace(TARGET, key_notation="camelot")
    root = ElementTree.fromstring(
        export_crate(make_crate(), "rekordbox", options).files["rekordbox.xml"]
    )
    assert root.findall(".//TRACK[@Tonality]")[1].get("Tonality") == "11A"


def test_a_crate_refuses_a_playlist_that_names_no_track() -> None:
    with pytest.raises(ValueError, match="unknown track"):
        Crate("x", (), (CratePlaylist("p", ("1",)),))
    track = make_crate().tracks[0]
    with pytest.raises(ValueError, match="share an id"):
        Crate("x", (track, track))
