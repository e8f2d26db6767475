"""A job is tried again, over REST, and goes on from what is done."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.api.apps import open_client
from tests.integration.jobs.installation import Installation, on_both_databases
from tests.integration.jobs.test_restarts import stage_process


@pytest.fixture
def client(house: Installation) -> Iterator[Any]:
    with open_client(house.data_dir, database_url=house.url) as client:
        yield client


@on_both_databases
def test_a_retry_keeps_what_is_done(house: Installation, client: Any) -> None:
    """The upload of a track whose worker was lost was deleted: all had to be sent again."""
    worker = house.start_worker(stage_max_attempts=1)
    job_id = house.submit("stuck", "work=0.1")
    house.wait_for_work(job_id, 0)
    stage_process(worker).kill()
    assert house.wait_for_end(job_id) == "completed"

    job = client.get(f"/job/{job_id}").json()
    assert (job["n_failed_tracks"], job["can_retry"]) == (1, True)
    assert job["tracks"][0]["error"]["code"] == "worker_lost"
    assert job["tracks"][0]["error"]["retryable"]
    before = house.manifest(job_id)

    answer = client.post(f"/job/{job_id}/retry")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    house.wait_for_end(job_id)

    after = house.manifest(job_id)
    assert (after.state, after.n_failed_tracks, after.n_retries) == ("completed", 0, 1)
    assert after.tracks[1] == before.tracks[1]
    attempts = [[stage.attempts for stage in track.stages] for track in after.tracks]
    assert attempts == [[1, 2, 1], [1, 1, 1]]
    assert after.playlist.score == 2, "the set was planned again, with the track that was missing"
    house.wait_until(lambda: house.job_states(job_id) == ["queued", "running", "completed"])

    refused = client.post(f"/job/{job_id}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "job_not_retryable")
    assert not client.get(f"/job/{job_id}").json()["can_retry"]


def test_a_cancelled_job_can_be_tried_again_at_once(house: Installation, client: Any) -> None:
    """Its stage may still run: it must neither go on nor write."""
    house.start_worker(cancel_grace_s=600.0)
    go_on = house.data_dir / "go-on"
    job_id = house.submit(f"until={go_on} deaf")
    house.wait_for_work(job_id)
    running = client.post(f"/job/{job_id}/retry")
    assert (running.status_code, running.json()["code"]) == (409, "job_not_retryable")

    client.post(f"/job/{job_id}/cancel")
    assert client.post(f"/job/{job_id}/retry").status_code == 202
    go_on.touch()

    assert house.wait_for_end(job_id) == "completed"
    record = house.manifest(job_id).stage("work", 0)
    assert (record.state, record.attempts) == ("completed", 2)


def test_what_would_fail_again_is_not_tried_again(house: Installation, client: Any) -> None:
    house.start_worker()
    job_id = house.submit("broken")
    assert house.wait_for_end(job_id) == "failed"

    refused = client.post(f"/job/{job_id}/retry").json()
    assert refused["code"] == "job_not_retryable"
    assert "would fail again" in refused["detail"]
    assert house.state(job_id) == "failed"


def test_a_job_that_the_engine_ended_can_be_tried_again(house: Installation, client: Any) -> None:
    """Its manifest could not be read for a while: its uploads were deleted for that."""
    job_id = house.submit("work=0.1")
    path = house.store.job_folder(job_id) / "manifest.json"
    whole = path.read_bytes()
    path.write_text("no json")
    house.start_worker()
    house.wait_until(lambda: house.queue.job_states({job_id: 0})[job_id].status == "ERROR")
    path.write_bytes(whole)

    assert house.wait_for_end(job_id) == "failed"
    error = house.manifest(job_id).error
    assert error is not None
    assert (error.code, error.retryable) == ("worker_lost", True)
    assert client.post(f"/job/{job_id}/retry").status_code == 202
    assert house.wait_for_end(job_id) == "completed"
