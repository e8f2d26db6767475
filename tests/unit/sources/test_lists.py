"""Lists of tracks in every format."""

from pathlib import Path

import pytest

from core.errors import InvalidList
from core.export.format import ExportOptions, target_folder
from core.export.registry import export_crate
from core.library.intake.listing import find_listed
from core.sources.lists import reading
from core.sources.lists.reading import read_list
from stemcrate.schemas.ingests import IngestManifest, ListedTrack
from tests.integration.export.crates import make_crate

URL = "https://example.org/a b.flac"


def read(text: str, name: str = "list") -> list[tuple[str | None, ...]]:
    tracks = read_list(name, text.encode())
    return [(t.file or t.url, t.artist, t.title) for t in tracks]


@pytest.mark.parametrize("format", ["m3u8", "xspf", "rekordbox", "traktor", "csv", "json"])
def test_lists_that_we_export_are_read(format: str) -> None:
    """A set that was exported for a DJ program could not be taken to another machine."""
    crate = make_crate()
    export = export_crate(crate, format, ExportOptions(target=target_folder("C:\\DJ\\Set")))
    lists = [(name, data) for name, data in export.files.items() if not name.endswith(".txt")]
    found = {(t.artist, t.title) for name, data in lists for t in read_list(name, data)}
    assert found == {(track.artist or None, track.title) for track in crate.tracks}


@pytest.mark.parametrize(
    ("text", "tracks"),
    [
        (
            f"# mine\n{URL}\n\nNina - Blue - Live\nmusic/a.mp3\nJust a title\n{URL}\n",
            [
                (URL, None, None),
                (None, "Nina", "Blue - Live"),
                ("music/a.mp3", None, None),
                (None, None, "Just a title"),
            ],
        ),
        (f"title;artist;url\nBlue;Nina;{URL}\n;;\n", [(URL, "Nina", "Blue")]),
        ("Artist\tTrack Title\tLocation\nNina\tBlue\tC:\\a.mp3", [("C:\\a.mp3", "Nina", "Blue")]),
        (
            "Video ID,Playlist Video Creation Timestamp\nabc-DEF_123,2024-01-01",
            [("https://www.youtube.com/watch?v=abc-DEF_123", None, None)],
        ),
        (
            'Track URI,Track Name,Artist Name(s)\nspotify:1,"Blue, again","Nina, Ida"',
            [(None, "Nina, Ida", "Blue, again")],
        ),
        (
            f"#EXTM3U\n#EXTINF:12,Nina - Blue\na.mp3\n{URL}\n",
            [("a.mp3", "Nina", "Blue"), (URL, None, None)],
        ),
        (
            f'{{"tracks": [{{"file": "a.wav", "artist": "Nina", "title": "X"}}, "{URL}", {{}}]}}',
            [("a.wav", "Nina", "X"), (URL, None, None)],
        ),
        (
            '<playlist xmlns="http://xspf.org/ns/0/"><title>x</title><trackList><track>'
            "<location>file:///m/a.mp3</location><creator>N &amp; I</creator><title>Blue</title>"
            "</track></trackList></playlist>",
            [("file:///m/a.mp3", "N & I", "Blue")],
        ),
    ],
    ids=["text", "csv", "tsv", "youtube", "exportify", "m3u8", "json", "xspf"],
)
def test_a_list_is_known_by_how_it_begins(text: str, tracks: list[tuple[str, ...]]) -> None:
    """Lists are pasted, or saved under any name."""
    assert read(text) == tracks


def test_lists_of_other_programs_are_decoded() -> None:
    """rekordbox writes UTF-16, and old programs Windows-1252."""
    text = "Artist\tTrack Title\nBjörk\tJóga\n"
    for data in (text.encode("utf-16"), text.encode("utf-8-sig"), text.encode("cp1252")):
        assert [t.label for t in read_list("list.txt", data)] == ["Björk - Jóga"]


def test_a_manifest_is_read_by_others_and_again() -> None:
    """Who was given the outcomes could not use them as a list."""
    tracks = read_list("a.json", b'{"tracks": [{"url": "https://example.org/a.mp3"}]}')
    written = IngestManifest.model_validate({"tracks": [t.model_dump() for t in tracks]})
    assert read_list("b.json", written.model_dump_json().encode()) == tracks


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lists no tracks"),
        ("# nothing\n", "lists no tracks"),
        ('{"tracks": 3}', "no list of tracks"),
        ('{"tracks": [3]}', "is no track"),
        ('{"tracks": [', "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("<playlist><trackList>", "no XML"),
        ("<playlist>" + "<a>" * 200, "nested"),
        ('<!DOCTYPE p [<!ENTITY a "aaaa">]><playlist>&a;</playlist>', "document type"),
        ('<!DOCTYPE p SYSTEM "file:///etc/passwd"><playlist/>', "document type"),
        (f"{'x' * 5000} - y\n", "lists no tracks"),
        ('artist,title\n"a' + "a" * 200_000, "cannot be read"),
        ("\n".join(f"a - {n}" for n in range(31)), "more than 30"),
    ],
)
def test_what_is_no_list_is_refused(text: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bomb of entities, a file of the server, or a list without end."""
    monkeypatch.setattr(reading, "MAX_TRACKS", 30)
    with pytest.raises(InvalidList, match=said):
        read(text)


@pytest.mark.parametrize("entry", ["x" * 5000, "a\0b", "file://[", "no/such", "\ud800"])
def test_hostile_names_are_not_found(tmp_path: Path, entry: str) -> None:
    """The system refuses such names with other errors than that they are missing."""
    assert find_listed(entry, tmp_path) is None


def test_a_track_is_called_by_what_is_known() -> None:
    assert ListedTrack(url="https://x.org/1", title="Blue").label == "Blue"
    assert ListedTrack(file="a.mp3").label == "a.mp3"
