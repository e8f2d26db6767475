"""The API while its database does not answer: a problem that says so, and work again afterwards."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bench.databases import Server, locked
from core.system import database
from stemcrate.schemas.manifest import JobState
from tests.conditions import wait_until
from tests.integration.api.apps import (
    files_below,
    open_client,
    run_here,
    services_of,
    submit,
    sweep,
    wav_bytes,
)
from tests.programs import requires


def assert_unavailable(answer: Any) -> None:
    problem = answer.json()
    assert answer.status_code == 503, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["Retry-After"].isdigit()
    assert problem["code"] == "database_unavailable"
    assert problem["retryable"]
    assert "DATABASE_URL" in problem["hint"] or "locked" in problem["detail"]
    assert "127.0.0.1" not in answer.text


def post(client: TestClient, path: str = "/process") -> Any:
    return client.post(path, files=[("file", ("song.wav", wav_bytes(0.5, seed=9)))])


@requires("postgresql")
def test_requests_without_postgresql_say_so_and_work_again_after_it(
    tmp_path: Path, postgres: Server
) -> None:
    """A stopped database was a defect in the log, and a worker-side error in the client."""
    with open_client(tmp_path, database_url=postgres.url) as client:
        done, kept, given_up = (submit(client, f"{n}.wav", stages="tempo") for n in range(3))
        run_here(client, done)
        sweep(client)
        playlist = client.post("/playlists", json={"name": "Set", "n_tracks": 1}).json()
        track_id = playlist["tracks"][0]["id"]
        with services_of(client).store.update(kept) as manifest:
            manifest.state = JobState.RUNNING
        uploads = files_below(tmp_path / "uploads")
        postgres.stop()

        assert_unavailable(post(client))
        assert_unavailable(post(client, "/library/tracks"))
        assert files_below(tmp_path / "uploads") == uploads
        assert_unavailable(client.get(f"/job/{kept}"))
        assert_unavailable(client.get("/library/tracks"))
        assert_unavailable(client.get(f"/library/tracks/{track_id}"))
        assert_unavailable(client.get(f"/library/tracks/{track_id}/compatible"))
        assert_unavailable(client.delete(f"/library/tracks/{track_id}"))
        assert_unavailable(client.get(f"/playlists/{playlist['id']}"))
        assert_unavailable(client.post("/playlists", json={"name": "Set", "n_tracks": 1}))
        assert_unavailable(client.get("/config"))
        health = client.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "no_database")
        assert health.headers["Retry-After"].isdigit()
        # What the disk knows is answered; what the worker will see on the disk is done.
        assert len(client.get("/jobs").json()["jobs"]) == 3
        assert client.get(f"/job/{done}").json()["state"] == "completed"
        assert client.post(f"/job/{kept}/cancel").json()["state"] == "cancelled"
        assert client.delete(f"/job/{given_up}").status_code == 204

        postgres.start()
        assert client.get("/health").status_code == 200
        assert post(client).status_code == 202
        assert [t["id"] for t in client.get("/library/tracks").json()["tracks"]] == [track_id]


@requires("postgresql")
def test_the_api_starts_without_its_database_and_works_when_that_is_there(
    tmp_path: Path, postgres: Server
) -> None:
    """After a power cut API and PostgreSQL start in any order."""
    postgres.stop()
    with open_client(tmp_path, database_url=postgres.url) as client:
        assert_unavailable(post(client))
        # Whether a key was made is not known yet: it must not be open meanwhile.
        assert_unavailable(client.get("/jobs"))
        assert client.get("/health").status_code == 503
        postgres.start()
        wait_until(lambda: post(client).status_code == 202)
        assert client.get("/library/tracks").status_code == 200


def test_a_locked_sqlite_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup tool that holds the file is not a defect of ours."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.1)
    with open_client(tmp_path) as client:
        done = submit(client, stages="tempo")
        run_here(client, done)
        sweep(client)
        track_id = client.get("/library/tracks").json()["tracks"][0]["id"]
        with locked(tmp_path / "stemcrate.sqlite"):
            answer = post(client)
            assert_unavailable(answer)
            assert answer.json()["detail"] == "The database is locked by another program."
            assert_unavailable(client.delete(f"/library/tracks/{track_id}"))
            # WAL: who only reads does not wait.
            assert client.get("/library/tracks").status_code == 200
        assert post(client).status_code == 202
