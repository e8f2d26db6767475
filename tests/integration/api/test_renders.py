"""Renders over HTTP: requested, followed, downloaded in ranges, deleted."""

import io
from typing import Any

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from core.jobs.progress import ProgressLog
from core.jobs.render_runner import RenderRunner
from stemcrate.schemas.facts import JobFacts
from tests.clicks import clicks
from tests.integration.api.apps import services_of
from tests.rendered import RATE, GivenTrack, make_job
from tests.signals import make_song

SONG = make_song(2.0, RATE)


@pytest.fixture
def job_id(client: TestClient) -> str:
    track = GivenTrack({"vocals": SONG / 2, "drums": SONG / 4}, bit_depth="24")
    return make_job(services_of(client).store, track)


def run_render(client: TestClient, id: str) -> None:
    """Carry out a queued render without a worker."""
    services = services_of(client)
    url = services.settings.resolved_database_url()
    runner = RenderRunner(
        services.settings.storage(), url, ProgressLog(url), silence_s=0.0, max_deaths=1
    )
    runner.run(id, services.renders.renders.load(id).run)
    runner.stop()


def request(client: TestClient, job_id: str, **fields: Any) -> Any:
    return client.post("/renders", json={"kind": "mix", "job_id": job_id, **fields})


def test_a_mix_is_requested_made_and_downloaded(client: TestClient, job_id: str) -> None:
    """Range, ETag and names are those of every other download."""
    receipt = request(client, job_id, lanes={"vocals": {}, "drums": {"muted": True}})
    assert receipt.status_code == 202, receipt.text
    render = receipt.json()
    assert receipt.headers["Location"] == render["links"]["self"]
    assert (render["state"], render["fraction"], render["file"]) == ("queued", 0.0, None)
    early = client.get(render["links"]["file"])
    assert (early.status_code, early.json()["code"]) == (409, "render_not_finished")

    run_render(client, render["id"])

    done = client.get(render["links"]["self"]).json()
    assert (done["state"], done["fraction"]) == ("completed", 1.0), done
    answer = client.get(done["links"]["file"])
    samples, rate = soundfile.read(io.BytesIO(answer.content))
    assert rate == RATE
    assert np.abs(samples.T - SONG / 2).max() < 2**-23
    assert len(answer.content) == done["file"]["bytes"]
    assert answer.headers["ETag"] == f'"{done["file"]["sha256"]}"'
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["Content-Disposition"].startswith(
        'attachment; filename="Band - Song.wav [mix].wav"'
    )
    part = client.get(done["links"]["file"], headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, answer.content[100:200])
    same = client.get(done["links"]["file"], headers={"If-None-Match": answer.headers["ETag"]})
    assert same.status_code == 304
    inline = client.get(done["links"]["file"], params={"disposition": "inline"})
    assert inline.headers["Content-Disposition"].startswith("inline; ")

    again = request(client, job_id, lanes={"vocals": {"gain_db": 0}})
    assert again.status_code == 200
    assert again.json() == done

    assert client.delete(done["links"]["self"]).status_code == 204
    gone = client.get(done["links"]["self"])
    assert (gone.status_code, gone.json()["code"]) == (404, "render_not_found")
    assert request(client, job_id, lanes={"vocals": {}}).json()["state"] == "queued"


@pytest.mark.parametrize(
    ("fields", "status", "code", "field"),
    [
        ({"lanes": {"kazoo": {}}}, 422, "invalid_option", "lanes"),
        ({"lanes": {"vocals": {"pan": 2}}}, 422, "invalid_request", "pan"),
        ({"tempo_ratio": 3}, 422, "invalid_request", "tempo_ratio"),
        ({"start_s": 1, "end_s": 1}, 422, "invalid_request", "end_s"),
        ({"start_s": 5}, 422, "invalid_option", "start_s"),
        ({"format": "flac", "bit_depth": "32f"}, 422, "unsupported_format", "bit_depth"),
        ({"kind": "remix"}, 422, "invalid_request", None),
        ({"job_id": "nope"}, 404, "job_not_found", None),
    ],
)
def test_a_wrong_request_is_refused_and_leaves_nothing(
    client: TestClient,
    job_id: str,
    fields: dict[str, Any],
    status: int,
    code: str,
    field: str | None,
) -> None:
    answer = client.post("/renders", json={"kind": "mix", "job_id": job_id, **fields})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    if field:
        assert answer.json()["field"] == field
    assert not (services_of(client).settings.data_dir / "renders").exists()


@pytest.mark.parametrize("id", ["nope", "5f0c2f3e-9d1b-8a67-b2c4-0e7d5a913f68", "..%2Fx"])
def test_an_unknown_render_is_not_found(client: TestClient, id: str) -> None:
    for method, path in (("GET", ""), ("GET", "/file"), ("DELETE", "")):
        answer = client.request(method, f"/renders/{id}{path}")
        assert answer.status_code == 404


def test_a_transition_is_rendered_and_described(client: TestClient, job_id: str) -> None:
    """A set's page draws where the mix is, and plays it."""
    beats_s = np.arange(40) * 0.5
    facts = JobFacts(
        tempo_bpm=120.0, beats_s=list(beats_s), downbeats_s=list(beats_s[::4]), duration_s=20.0
    )
    steady = make_job(
        services_of(client).store, GivenTrack({"drums": clicks(beats_s, 20.0)}, facts)
    )
    side = {"job_id": steady, "track_index": 0}
    body = {
        "kind": "transition",
        "outgoing": side,
        "incoming": side,
        "out_bar": 5,
        "in_bar": 2,
        "overlap_bars": 2,
        "before_bars": 1,
        "after_bars": 1,
    }
    render = client.post("/renders", json=body).json()
    assert render["transition"] is None
    run_render(client, render["id"])

    done = client.get(render["links"]["self"]).json()
    assert done["state"] == "completed", done
    told = done["transition"]
    assert (told["starts_s"], told["ends_s"], told["overlap_bars"]) == (2.0, 6.0, 2)
    assert (told["mix_out_s"], told["mix_in_s"], told["outgoing_start_s"]) == (8.0, 2.0, 6.0)
    assert told["incoming_speed"] == 1.0
    assert told["transition"]["overlap_bars"] == 2
    assert done["file"]["duration_s"] == 8.0
    # The planner's answer can be sent as it is.
    again = client.post("/renders", json={**body, "transition": told["transition"]})
    assert again.status_code in (200, 202), again.text

    free = client.post("/renders", json={**body, "incoming": {"job_id": job_id}})
    assert (free.status_code, free.json()["code"]) == (409, "beat_grid_missing")
    nobody = client.post("/renders", json={**body, "incoming": {"track_id": "0" * 64}})
    assert (nobody.status_code, nobody.json()["code"]) == (404, "track_not_found")
