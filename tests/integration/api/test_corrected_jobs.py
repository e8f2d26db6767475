"""Jobs of a recording that was corrected: what they deliver and show, and what they keep."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.audio.tagging.tags import read_tags
from tests.integration.api.apps import open_client, run_here, services_of, sweep, wav_bytes

pytestmark = pytest.mark.slow
OPTIONS = {"stages": "tempo,key,structure,playlist", "format": "flac"}
NAME = "Band - Söng.wav"


def process(client: TestClient) -> Any:
    song = wav_bytes(8.0)
    job_id = client.post("/process", files={"file": (NAME, song)}, data=OPTIONS).json()["job_id"]
    run_here(client, job_id)
    sweep(client)
    return client.get(f"/job/{job_id}").json()


LOOP = {"time_s": 2.0, "end_s": 4.0, "name": "Loop", "colour": "#ff0000"}


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An app, a job from before corrections, one from after, and the track."""
    with open_client(tmp_path_factory.mktemp("jobs")) as client:
        before = process(client)
        (track,) = client.get("/library/tracks").json()["tracks"]
        fields = {
            "title": "Right",
            "album": "LP",
            "key": "1A",
            "grid": [{"op": "scale", "by": "1/2"}, {"op": "shift", "beats": 0.5}],
            "cues": [{"time_s": 1.0, "name": "In"}, LOOP],
        }
        answer = client.patch(f"/library/tracks/{track['id']}", json=fields)
        assert answer.status_code == 200, answer.text
        yield client, before, process(client), answer.json()


def analysis(job: Any) -> Any:
    return job["tracks"][0]["analysis"]


def test_a_job_keeps_what_it_found_and_shows_corrections(corrected: Any) -> None:
    client, before, after, track = corrected
    found_bpm = analysis(before)["tempo_bpm"]
    for job in (before, after):
        shown = analysis(client.get(f"/job/{job['job_id']}").json())
        assert (shown["title"], shown["camelot"]) == ("Right", "1A")
        assert shown["tempo_bpm"] == pytest.approx(found_bpm / 2)
        kept = client.get(f"/job/{job['job_id']}/manifest").json()["tracks"][0]["analysis"]
        assert (kept["title"], kept["tempo_bpm"]) == ("Söng", found_bpm)
    now = client.get(f"/library/tracks/{track['id']}").json()
    assert now["facts"]["beats_s"] == track["facts"]["beats_s"]
    assert len(now["jobs"]) == 2


def test_names_tags_and_playlist_of_a_later_job_are_corrected(corrected: Any) -> None:
    client, _, after, track = corrected
    outputs = client.get(f"/job/{after['job_id']}/outputs").json()["artefacts"]
    names = {artefact["label"]: artefact["name"] for artefact in outputs}
    assert names["vocals"].startswith("01 Band - Right/")
    folder = services_of(client).store.job_folder(after["job_id"])
    tags = read_tags(folder / names["vocals"])
    assert (tags.title, tags.artist, tags.album) == ("Right [vocals]", "Band", "LP")
    assert (tags.bpm, tags.key) == (pytest.approx(track["tempo_bpm"], abs=0.01), "Abm")
    (planned,) = client.get(f"/job/{after['job_id']}/manifest").json()["playlist"]["tracks"]
    assert (planned["title"], planned["camelot"]) == ("Right", "1A")
    assert planned["tempo_bpm"] == track["tempo_bpm"]


def test_players_have_the_corrected_grid_and_cues(corrected: Any) -> None:
    client, before, _, track = corrected
    player = client.get(f"/job/{before['job_id']}/tracks/0/player").json()
    assert player["grid"]["beats_s"] == track["facts"]["beats_s"]
    assert (player["title"], player["key"]) == ("Right", "Ab minor")
    assert [cue["name"] for cue in player["cues"]] == ["In"]
    assert player["loops"] == [{"start_s": 2.0, "end_s": 4.0, "name": "Loop", "colour": "#ff0000"}]


def test_copies_in_a_pack_have_corrected_tags(corrected: Any, tmp_path: Path) -> None:
    client, _, _, track = corrected
    playlist = client.post("/playlists", json={"name": "x", "tracks": [track["id"]]}).json()
    answer = client.get(playlist["exports"]["pack"])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as pack:
        pack.extract("Music/Band - Right.wav", tmp_path)
    tags = read_tags(tmp_path / "Music/Band - Right.wav")
    assert (tags.title, tags.album, tags.key) == ("Right", "LP", "Abm")
    assert tags.bpm == pytest.approx(track["tempo_bpm"], abs=0.01)
