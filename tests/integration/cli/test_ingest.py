"""stemcrate ingest as a user runs it, against real servers on this machine."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.file_server import FileServer
from tests.integration.cli.shell import Shell
from tests.signals import make_song, write_song

LOCAL = {"OUTGOING_ALLOWED": "127.0.0.1", "INGEST_HOSTS": "-"}


def outcomes(found: dict[str, Any]) -> list[str]:
    return [t.get("error", {}).get("code", t["outcome"]) for t in found["tracks"]]


@pytest.mark.slow
def test_a_list_is_fetched_added_and_gone_on_with(tmp_path: Path) -> None:
    """What failed stopped the rest, was not named, or had all fetched again the next time."""
    shell, served, music = Shell(tmp_path), tmp_path / "served", tmp_path / "music"
    served.mkdir()
    music.mkdir()
    for n, folder in enumerate((served, served, music)):
        write_song(folder / f"{n}.wav", make_song(4.0, 22_050, seed=n), 22_050)
    (served / "page").write_text("<html>no music</html>")
    with FileServer(served) as server:
        tracks = [
            {"url": server.url("0.wav"), "artist": "Nina", "title": "Blue"},
            {"url": server.url("page")},
            {"url": server.url("missing.mp3")},
            {"url": "http://127.0.0.2:1/1.wav"},
            {"file": "2.wav"},
            {"artist": "Nobody", "title": "Nothing"},
        ]
        (music / "list.json").write_text(json.dumps({"tracks": tracks}))
        arguments = ("ingest", server.url("1.wav"), "music/list.json", "--manifest", "done.json")
        result = shell.run(*arguments, "--json", **LOCAL)
        assert result.returncode == 3, result.stderr
        found = json.loads(result.stdout)
        assert outcomes(found) == [
            *("added", "added", "not_audio", "source_not_found", "address_forbidden"),
            *("added", "source_not_found"),
        ]
        assert "127.0.0.2 leads to an address that is not public" in result.stderr
        assert json.loads((tmp_path / "done.json").read_text()) == found
        listed = shell.json("library", "list")["tracks"]
        assert sorted(t["title"] for t in listed) == ["1", "2", "Blue"]
        n_sent = server.n_sent
        again = shell.run("ingest", server.url("0.wav"), "done.json", "--json", **LOCAL)
        assert outcomes(json.loads(again.stdout))[:3] == ["known", "known", "known"]
        assert server.n_sent == n_sent + len("<html>no music</html>")
    assert not list((tmp_path / "data/fetching").glob("*/"))


@pytest.mark.slow
def test_a_job_takes_links_files_and_tracks_of_the_library(tmp_path: Path) -> None:
    """A link had to be fetched by hand before it could be processed."""
    shell = Shell(tmp_path)
    for n in range(2):
        write_song(tmp_path / f"{n}.wav", make_song(4.0, 22_050, seed=n), 22_050)
    with FileServer(tmp_path) as server:
        (tmp_path / "list.txt").write_text(f"{server.url('0.wav')}\n1.wav\n")
        options = ("--job", "--model", "none", "--stages", "tempo")
        result = shell.run("ingest", "list.txt", *options, "--json", **LOCAL)
    assert result.returncode == 0, result.stderr
    job = json.loads(result.stdout)
    assert sorted(track["name"] for track in job["tracks"]) == ["0.wav", "1.wav"]
    assert job["state"] == "completed"


def test_options_of_a_job_need_a_job(tmp_path: Path) -> None:
    """They were ignored where the library was filled."""
    result = Shell(tmp_path).run("ingest", "a.txt", "--model", "none")
    assert result.returncode == 2
    assert "add --job" in result.stderr


def test_links_can_be_switched_off(tmp_path: Path) -> None:
    """An operator who must not fetch for others had no way to say so."""
    result = Shell(tmp_path).run("ingest", "https://example.org/a.mp3", INGEST_LINKS="false")
    assert result.returncode == 1
    assert "INGEST_LINKS" in result.stderr
