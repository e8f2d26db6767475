"""Links and lists over REST: what is asked for, and what becomes of it."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.deps import Services
from core.jobs.ingest_runner import IngestRunner
from core.net.addresses import AddressGuard
from core.pipeline.order import build_pipeline
from core.sources.source import SourceSettings
from tests.conditions import wait_until
from tests.file_server import FileServer
from tests.hostile_server import hostile_server, redirect, reply, send_endlessly
from tests.integration.api.apps import open_client, run_here, services_of, wav_bytes


@pytest.fixture
def app(tmp_path: Path) -> Iterator[TestClient]:
    with open_client(tmp_path / "data", max_files_per_job=3) as client:
        yield client


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    for n in range(3):
        (folder / f"{n}.wav").write_bytes(wav_bytes(0.5, seed=n))
    with FileServer(folder) as server:
        yield server


def ingest_here(client: TestClient, id: str, **changes: Any) -> Any:
    """Carry an ingest out without a worker; return what it has become."""
    runner_of(services_of(client), **changes).run(id)
    return client.get(f"/ingest/{id}").json()


def runner_of(services: Services, **changes: Any) -> IngestRunner:
    sources = SourceSettings(AddressGuard(["127.0.0.1"]), **{"hosts": (), **changes})
    settings = services.settings
    return IngestRunner(
        settings.resolved_database_url(),
        build_pipeline(services.store, settings.runtime()),
        services.queue,
        services.progress,
        sources=sources,
        scanner=services.scanner,
        prober=services.prober,
        limits=settings.owner_limits(),
        cache_max_bytes=10**9,
        n_processes=1,
        max_files_per_job=3,
    )


def ask(client: TestClient, **request: Any) -> Any:
    answer = client.post("/ingest", json=request)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/ingest/{answer.json()['id']}"
    return answer.json()


@pytest.mark.slow
def test_links_and_lists_become_tracks_of_the_library(app: TestClient, server: FileServer) -> None:
    """A list that was fetched before was fetched whole again, and who asked was told nothing."""
    text = f"title,artist,url\nBlue,Nina,{server.url('1.wav')}\n,,{server.url('gone.wav')}\n"
    asked = {"links": [server.url("0.wav")], "list_text": text, "list_name": "set.csv"}
    queued = ask(app, **asked)
    assert (queued["state"], queued["n_tracks"], queued["n_done"]) == ("queued", 3, 0)
    done = ingest_here(app, queued["id"])
    assert (done["state"], done["n_tracks"], done["n_done"]) == ("completed", 3, 3)
    assert (done["n_added"], done["n_known"], done["n_failed"]) == (2, 0, 1)
    assert [t["error"]["code"] for t in done["failed"]] == ["source_not_found"]
    tracks = app.get("/library/tracks").json()["tracks"]
    assert sorted((t["title"], t["artist"]) for t in tracks) == [("0", None), ("Blue", "Nina")]
    for track in tracks:
        assert app.get(f"/library/tracks/{track['id']}/player").status_code == 200

    manifest = app.get(f"/ingest/{done['id']}/manifest")
    n_sent = server.n_sent
    again = ask(app, list_text=manifest.text, list_name="again.json")
    assert ingest_here(app, again["id"])["n_known"] == 2
    assert server.n_sent == n_sent
    assert [i["id"] for i in app.get("/ingest").json()["ingests"]] == [again["id"], done["id"]]


@pytest.mark.slow
def test_links_become_a_job(app: TestClient, server: FileServer, tmp_path: Path) -> None:
    """Files had to be fetched by hand, and uploaded."""
    links = [server.url(f"{n}.wav") for n in (0, 1)]
    id = ask(app, links=links, job={"model": "none", "stages": "tempo"})["id"]
    done = ingest_here(app, id)
    assert (done["state"], done["is_job"], done["n_added"]) == ("completed", True, 2)
    run_here(app, id)
    job = app.get(f"/job/{id}/manifest").json()
    assert job["state"] == "completed"
    assert [track["source"]["name"] for track in job["tracks"]] == ["0.wav", "1.wav"]
    assert app.delete(f"/job/{id}").status_code == 204
    assert not list((tmp_path / "data" / "uploads").glob("*/audio"))


@pytest.mark.slow
def test_hostile_links_leave_nothing(app: TestClient, tmp_path: Path) -> None:
    """Endless bodies, redirects to this machine, and what is no audio, each left a file behind."""
    ok = b"HTTP/1.1 200 OK\r\n\r\n"
    behaviours = {
        "upload_too_large": send_endlessly(ok, b"x" * 65536),
        "address_forbidden": redirect("http://127.0.0.2/latest/meta-data"),
        "not_audio": reply("HTTP/1.1 200 OK\r\nContent-Type: audio/flac\r\n\r\nno music"),
        "source_unavailable": send_endlessly(ok, b"x", 0.05),
    }
    with ExitStack() as stack:
        links = [stack.enter_context(hostile_server(b)) + "/a.wav" for b in behaviours.values()]
        id = ask(app, links=links)["id"]
        done = ingest_here(app, id, max_bytes=500_000, timeout_s=0.3)
    assert [t["error"]["code"] for t in done["failed"]] == list(behaviours)
    assert app.get("/library/tracks").json()["total"] == 0
    assert not list((tmp_path / "data" / "uploads").glob("*/audio"))
    parts = [p for p in (tmp_path / "data" / "fetching").rglob("*") if p.suffix != ".lock"]
    assert [p.name for p in parts if p.is_file()] == ["audio.part"]  # of the one that may go on


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({}, "invalid_option"),
        ({"links": [" "]}, "invalid_option"),
        ({"links": ["file:///etc/passwd"]}, "invalid_link"),
        ({"links": ["http://me:secret@example.org/"]}, "invalid_link"),
        ({"list_text": "<!DOCTYPE x><playlist/>"}, "invalid_list"),
        ({"links": ["https://example.org/a.mp3"], "job": {"bit_depth": "12"}}, "invalid_option"),
        ({"links": ["https://example.org/a.mp3"], "job": {"model": "x"}}, "unknown_model"),
        ({"list_text": "a - b\nc - d\ne - f\ng - h\n", "job": {}}, "invalid_option"),
    ],
)
def test_what_cannot_be_fetched_is_refused_at_once(
    app: TestClient, request_: Any, code: str
) -> None:
    answer = app.post("/ingest", json=request_)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert "secret" not in answer.text
    assert app.get("/ingest").json() == {"ingests": []}


def test_paths_of_lists_are_not_followed_on_the_server(app: TestClient, tmp_path: Path) -> None:
    """Whoever sends a list could have any audio file of the server added, and listen to it."""
    song = tmp_path / "private.wav"
    song.write_bytes(wav_bytes(0.5))
    id = ask(app, list_text=f"{song}\nfile://{song}\n")["id"]
    done = ingest_here(app, id)
    assert [t["error"]["code"] for t in done["failed"]] == ["source_not_found"] * 2


def test_an_ingest_is_cancelled_for_good(app: TestClient) -> None:
    """A worker that came to it late fetched it all the same."""
    id = ask(app, links=["https://example.org/a.mp3"])["id"]
    assert app.post(f"/ingest/{id}/cancel").json()["state"] == "cancelled"
    assert ingest_here(app, id)["state"] == "cancelled"
    answer = app.get("/ingest/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "ingest_not_found")


@pytest.mark.slow
def test_a_download_ends_when_its_ingest_is_cancelled(app: TestClient, tmp_path: Path) -> None:
    """It went on for as long as the server sent, and its part stayed."""
    with hostile_server(send_endlessly(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000, 0.05)) as address:
        id = ask(app, links=[f"{address}/a.wav"])["id"]
        runner = runner_of(services_of(app))
        thread = threading.Thread(target=runner.run, args=(id,))
        thread.start()
        wait_until(lambda: list((tmp_path / "data" / "fetching").glob("*/audio.part")))
        assert app.post(f"/ingest/{id}/cancel").json()["state"] == "cancelled"
        thread.join()
    assert app.get(f"/ingest/{id}").json()["state"] == "cancelled"
    assert not list((tmp_path / "data" / "fetching").glob("*/audio.part"))


@pytest.mark.slow
def test_what_is_fetched_counts_as_sent(tmp_path: Path, server: FileServer) -> None:
    """Quotas held for uploads alone: links went around them."""
    size = (server.folder / "0.wav").stat().st_size
    limits = {"limit_local_user": True, "owner_upload_bytes_per_day": 2 * size}
    with open_client(tmp_path / "data", **limits) as client:
        id = ask(client, links=[server.url(f"{n}.wav") for n in range(3)])["id"]
        done = ingest_here(client, id)
    assert (done["n_added"], done["n_failed"]) == (2, 1)
    assert done["failed"][0]["error"]["code"] == "quota_exceeded"


def test_the_operator_switches_links_off(tmp_path: Path) -> None:
    with open_client(tmp_path / "data", ingest_links=False) as client:
        answer = client.post("/ingest", json={"links": ["https://example.org/a.mp3"]})
        assert (answer.status_code, answer.json()["code"]) == (422, "source_not_found")
        assert "INGEST_LINKS" in answer.json()["hint"]
