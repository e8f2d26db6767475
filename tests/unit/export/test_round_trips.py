"""Whatever text and numbers a track has: what was exported parses, and says the same."""

import json
import plistlib
import struct
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.harmony.camelot import KEYS
from core.export.format import ExportOptions, target_folder
from core.export.formats.xml_text import xml_text
from core.export.location import parse_location, relocate_records, relocate_text
from core.export.model import Crate, CratePlaylist, CrateTrack, FileKind
from core.export.names import safe_name
from core.export.registry import export_crate

FOLDERS = st.sampled_from(
    ["/home/dj", "/Users/dj/S & T", "/Volumes/X", "C:\\DJ", "E:\\", "\\\\nas\\dj", "/home/dj/x"]
)
TEXTS = st.text(st.characters(), max_size=40)


@st.composite
def crates(draw: st.DrawFn) -> Crate:
    """Draw a crate of files with names that Stemcrate gives, and any other text."""
    tracks = tuple(
        CrateTrack(
            str(number),
            f"Music/{safe_name(draw(TEXTS))} {number}.mp3",
            FileKind.MP3,
            draw(TEXTS),
            draw(st.floats(0, 10_000)),
            artist=draw(st.none() | TEXTS),
            tempo_bpm=draw(st.none() | st.floats(20, 300)),
            key=draw(st.none() | st.sampled_from(KEYS)),
        )
        for number in range(draw(st.integers(0, 4)))
    )
    ids = [track.id for track in tracks]
    order = tuple(draw(st.permutations(ids)))
    return Crate(draw(TEXTS), tracks, (CratePlaylist(draw(TEXTS), order),))


def export(crate: Crate, name: str, folder: str) -> bytes:
    options = ExportOptions(target=target_folder(folder))
    return next(iter(export_crate(crate, name, options).files.values()))


@settings(max_examples=60, deadline=None)
@given(crates(), FOLDERS)
def test_xml_gives_back_titles_places_and_order(crate: Crate, folder: str) -> None:
    root = ElementTree.fromstring(export(crate, "rekordbox", folder))
    tracks = root.findall("COLLECTION/TRACK")
    assert [track.get("Name") for track in tracks] == [xml_text(t.title) for t in crate.tracks]
    for element, track in zip(tracks, crate.tracks, strict=True):
        assert unquote(urlsplit(element.get("Location")).path).endswith(f"/{track.path}")
    order = [element.get("Key") for element in root.findall(".//NODE/NODE/TRACK")]
    assert order == [str(int(id) + 1) for id in crate.playlists[0].track_ids]
    entries = ElementTree.fromstring(export(crate, "traktor", folder)).findall(".//ENTRY")
    assert len(entries) == 2 * len(crate.tracks)
    library = plistlib.loads(export(crate, "itunes", folder))
    assert len(library["Tracks"]) == len(crate.tracks)


@settings(max_examples=60, deadline=None)
@given(crates())
def test_json_and_serato_give_back_paths_in_order(crate: Any) -> None:
    document = json.loads(export_crate(crate, "json").files["crate.json"])
    assert [track["path"] for track in document["tracks"]] == [t.path for t in crate.tracks]
    *_, data = export_crate(crate, "serato").files.values()
    by_id = {track.id: track.path for track in crate.tracks}
    assert crate_paths(data) == [by_id[id] for id in crate.playlists[0].track_ids]


@settings(max_examples=60, deadline=None)
@given(crates(), FOLDERS, FOLDERS)
def test_relocating_equals_exporting_anew(crate: Crate, old: str, new: str) -> None:
    places = parse_location(old), parse_location(new)
    for name, host in (("rekordbox", "localhost"), ("traktor", ""), ("itunes", "")):
        moved = relocate_text(export(crate, name, old).decode(), *places, host=host)
        assert moved.encode() == export(crate, name, new)
    records = relocate_records(export(crate, "serato", old), *places)
    assert records == export(crate, "serato", new)


def crate_paths(data: bytes) -> list[Any]:
    """Read a crate's paths: records of name, big-endian length and content."""
    paths, at = [], 0
    while at < len(data):
        name, length = struct.unpack_from(">4sI", data, at)
        content = data[at + 8 : at + 8 + length]
        if name == b"otrk":
            paths += crate_paths(content)
        elif name == b"ptrk":
            paths.append(content.decode("utf-16-be"))
        at += 8 + length
    return paths
