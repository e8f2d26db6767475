"""stemcrate library and stemcrate playlist as a user runs them."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cli.library_output import print_tracks
from cli.output import out
from core.library.library import Library
from stemcrate.schemas.search import TrackQuery
from tests.integration.cli.shell import Shell
from tests.library_records import make_record
from tests.signals import make_song, write_song


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A library of two songs and a file that is none, added by the command."""
    shell = Shell(tmp_path_factory.mktemp("shell"))
    music = shell.folder / "music"
    music.mkdir()
    for n in range(2):
        write_song(music / f"Band - Song {n}.wav", make_song(6.0, 22_050, seed=n), 22_050)
    (music / "bad.mp3").write_text("no music")
    report = shell.json("library", "add", "music", "--processes", "2", code=3)
    assert len(report["added"]) == 2
    assert [r["error"]["code"] for r in report["refused"]] == ["not_audio"]
    return shell


@pytest.fixture
def shell(filled: Shell, tmp_path: Path) -> Shell:
    """The filled library, for this test to change; the music stays where it is."""
    shutil.copytree(filled.folder / "data", tmp_path / "data")
    return Shell(tmp_path)


def test_adding_again_knows_everything_and_still_names_the_bad_one(filled: Shell) -> None:
    """Exit code 3 is what a script sees of one bad file in a thousand."""
    result = filled.run_as_process("library", "add", "music")
    assert result.returncode == 3
    assert "0 added, 2 known before, 1 refused." in result.stdout
    assert "bad.mp3" in result.stderr


def test_search_and_list_print_tables_for_people_and_json_for_programs(filled: Shell) -> None:
    found = filled.json(
        "library", "search", "SONG", "1", "--tempo-min-bpm", 59, "--tempo-max-bpm", 61
    )
    assert [track["title"] for track in found["tracks"]] == ["Song 1"]
    page = filled.json("library", "list", "--limit", 1)
    rest = filled.json("library", "list", "--limit", 1, "--cursor", page["next_cursor"])
    assert [t["title"] for t in page["tracks"] + rest["tracks"]] == ["Song 0", "Song 1"]
    assert "Song 0" in filled.run("library", "list").stdout


def test_collections_are_made_filled_and_deleted(shell: Shell) -> None:
    ids = [track["id"] for track in shell.json("library", "list")["tracks"]]
    collection = ("library", "collection")
    (made,) = shell.json(*collection, "create", "Mine", ids[0][:10])["collections"]
    assert (made["name"], made["n_tracks"], made["query"]) == ("Mine", 1, None)
    assert shell.run(*collection, "add", "mine", shell.folder / "gone").returncode == 1
    assert shell.json(*collection, "add", "mine", ids[1])["collections"][0]["n_tracks"] == 2
    shell.json(*collection, "remove", made["id"], ids[0])
    shell.json(*collection, "rename", "Mine", "Yours")
    (smart,) = shell.json(*collection, "create", "Fast", "--tempo-min-bpm", 500)["collections"]
    assert smart["query"]["tempo_min_bpm"] == 500
    listed = shell.json(*collection, "list")["collections"]
    assert [(c["name"], c["n_tracks"]) for c in listed] == [("Fast", 0), ("Yours", 1)]
    found = shell.json("library", "search", "--collection", made["id"])["tracks"]
    assert [track["id"] for track in found] == [ids[1]]
    assert "tempo_min_bpm 500" in shell.run(*collection, "list").stdout
    shell.json(*collection, "delete", "Yours")
    assert shell.run(*collection, "delete", "Yours").returncode == 1


def test_lists_say_which_tempo_and_key_are_doubtful(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = Library(tmp_path, f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    for place, confidence in enumerate((0.16, 0.9)):
        library.put(
            make_record(
                place,
                title=f"Song {place}",
                tempo_bpm=100.0 + place,
                camelot="8A",
                tempo_confidence=confidence,
                key_confidence=1 - confidence,
            )
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(out, "width", 200)
        print_tracks(library.search(TrackQuery()).tracks)
    lines = capsys.readouterr().out.splitlines()
    guess, sure = (next(line for line in lines if f"Song {n}" in line) for n in range(2))
    assert "100.00 (uncertain, 16 %)" in guess
    assert guess.count("uncertain") == 1
    assert "101.00 (" not in sure
    assert sure.count("8A (uncertain, 10 %)") == 1


def test_a_track_is_named_by_its_file_or_the_beginning_of_its_id(filled: Shell) -> None:
    (track,) = filled.json("library", "search", "Song", "0")["tracks"]
    for name in ("music/Band - Song 0.wav", track["id"][:8]):
        found = filled.json("library", "compatible", name)["tracks"]
        assert [other["title"] for other in found] == ["Song 1"]
        assert found[0]["transition"]["reasons"]


def test_a_set_is_planned_and_written_for_dj_programs(filled: Shell) -> None:
    """The example of the README, with a name that no folder could have."""
    told = filled.json(
        *("playlist", "--name", "Dark/Techno: Set", "--duration-s", 3600, "--curve", "peak"),
        *("--formats", "rekordbox,m3u8,traktor", "--out", "out"),
    )
    assert told["name"] == "Dark/Techno: Set"
    assert len(told["tracks"]) == 2
    assert set(told["files"]) == {"rekordbox", "m3u8", "traktor"}
    assert all((filled.folder / "out") in Path(path).parents for path in told["files"].values())
    m3u8 = Path(told["files"]["m3u8"]).read_text()
    assert all(str(filled.folder / "music") in line for line in m3u8.splitlines()[3::2])
    assert told["relaxed"]
    listed = filled.json("playlist", "list")["playlists"]
    assert told["id"] in [playlist["id"] for playlist in listed]
    turned = filled.json(
        "playlist", "reorder", told["id"], *[t["id"] for t in told["tracks"][::-1]]
    )
    assert [t["id"] for t in turned["tracks"]] == [t["id"] for t in told["tracks"][::-1]]
    away = filled.json(
        *("playlist", "export", told["id"], "--formats", "m3u8"),
        *("--target", "D:\\Music", "--out", "out2"),
    )
    assert str(filled.folder) not in Path(away["files"]["m3u8"]).read_text()
    packed = filled.json("playlist", "export", told["id"], "--formats", "pack", "--out", "out3")
    with zipfile.ZipFile(packed["files"]["pack"]) as pack:
        assert pack.testzip() is None
        assert sum(name.startswith("Music/") for name in pack.namelist()) == 2
    assert len(list((filled.folder / "out3").iterdir())) == 1


def test_a_playlist_takes_the_options_of_its_endpoint(filled: Shell) -> None:
    """Words and units differed: `--duration` was in minutes, `--tracks` a number."""
    ids = [track["id"] for track in filled.json("library", "list")["tracks"]][::-1]
    given = filled.json("playlist", "--name", "Given", "--tracks", ids[0], "--tracks", ids[1])
    assert [track["id"] for track in given["tracks"]] == ids
    short = filled.json("playlist", "--name", "Short", "--duration-s", 5, "--start", ids[0][:8])
    assert [track["id"] for track in short["tracks"]] == ids[:1]


def test_tracks_that_moved_are_listed_and_exported_with_a_warning(
    shell: Shell, filled: Shell
) -> None:
    """A crash here would cost the set of the evening."""
    music = filled.folder / "music"
    hidden = filled.folder / "elsewhere"
    music.rename(hidden)
    try:
        tracks = shell.json("library", "list")["tracks"]
        assert all(track["is_missing"] for track in tracks)
        told = shell.json("playlist", "--name", "Set", "--formats", "rekordbox,csv")
        assert len(told["warnings"]) >= 2
        assert all(Path(path).is_file() for path in told["files"].values())
        assert "moved" in shell.run("library", "list").stdout
    finally:
        hidden.rename(music)


def test_reindex_brings_back_a_lost_database(shell: Shell) -> None:
    before = shell.json("library", "list")
    for path in (shell.folder / "data").glob("stemcrate.sqlite*"):
        path.unlink()
    assert shell.json("library", "list")["tracks"] == []
    assert shell.json("library", "reindex")["tracks"] == 2
    assert shell.json("library", "list") == before


def test_remove_forgets_and_leaves_the_file(shell: Shell, filled: Shell) -> None:
    path = filled.folder / "music" / "Band - Song 0.wav"
    shell.json("library", "remove", path)
    assert path.is_file()
    assert [t["title"] for t in shell.json("library", "list")["tracks"]] == ["Song 1"]
    assert shell.run("library", "remove", path).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("library", "search", "--key", "H"), 2, "is not a musical key"),
        (("library", "search", "--vocals", "maybe"), 2, "--vocals"),
        (("library", "add"), 2, "Name files"),
        (("library", "add", "nowhere"), 1, "does not exist"),
        (("library", "similar", "0123456789"), 1, "There is no track"),
        (("playlist",), 2, "'name' is missing"),
        (("playlist", "--name", "x"), 2, "There is no track to plan"),
        (("playlist", "--name", "x", "--formats", "cassette"), 2, "no export format"),
        (("playlist", "--name", "x", "--curve", "0:a"), 2, "not an energy curve"),
        (("playlist", "delete", "x"), 1, "no playlist"),
    ],
)
def test_bad_input_is_told_and_leaves_nothing(
    tmp_path: Path, arguments: tuple[Any, ...], code: int, words: str
) -> None:
    """An empty library, an unknown key, an invalid curve: a sentence, not a traceback."""
    result = Shell(tmp_path).run(*arguments)
    assert result.returncode == code, result.stderr
    assert words in " ".join((result.stdout + result.stderr).split())
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "data" / "library").exists()


def test_an_empty_library_is_listed(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    assert shell.json("library", "list") == {"tracks": [], "next_cursor": None}
    assert shell.json("library", "duplicates") == {"duplicates": []}
    assert shell.json("library", "reindex")["tracks"] == 0


@pytest.mark.slow
def test_enrich_finds_says_what_it_lacks_and_fails_in_part(shell: Shell) -> None:
    """Without weights, musicnn fails each track, and the other enricher's results are there."""
    off = shell.run("library", "enrich", "--all")
    assert off.returncode == 2
    assert "Name some in ENRICHERS: character" in off.stderr
    assert shell.run("library", "enrich", ENRICHERS="character").returncode == 2

    both = shell.run("library", "enrich", "--all", "--json", ENRICHERS="character,musicnn")
    assert both.returncode == 3
    for track in json.loads(both.stdout)["tracks"]:
        character, musicnn = track["outcomes"]
        assert track["status"] == "failed"
        assert character["arousal"]["method"] == "energy-tempo-1"
        assert "stemcrate models import musicnn" in musicnn["error"]["hint"]

    again = shell.run("library", "enrich", "--all", ENRICHERS="character")
    assert again.returncode == 0
    assert "arousal" not in again.stdout  # nothing lacks a result

    wheel = shell.folder / "musicnn.whl"
    wheel.write_bytes(b"another")
    wrong = shell.run("models", "import", "musicnn", wheel)
    assert wrong.returncode == 1
    assert "SHA-256" in wrong.stderr
