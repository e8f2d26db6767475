"""Batches with real workers: made whole, whatever is killed, cancelled and deleted."""

import os
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
import requests

from bench.processes import held_ports, running
from core.access.limits import UNLIMITED, OwnerLimits
from core.artifacts.footprint import Footprint
from core.artifacts.incoming import open_incoming
from core.artifacts.job_ids import new_job_id
from core.errors import BatchNotFound, QuotaExceeded, UploadIncomplete, UploadNotFound
from core.jobs import batch_runner
from core.jobs.batch_runner import BatchSweep
from core.jobs.batch_work import BatchWork, items_of
from core.jobs.batches import BatchService
from core.jobs.quotas import OwnerQuotas
from stemcrate.client import ApiUnreachable, Client
from stemcrate.schemas.batches import BatchInput
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.options import ProcessingOptions
from stemcrate.schemas.owners import LOCAL
from tests.integration.api.apps import wav_bytes
from tests.integration.jobs.installation import Installation, on_both_databases

SONG = wav_bytes(0.2)


def batches_of(house: Installation, limits: OwnerLimits = UNLIMITED) -> BatchService:
    store = house.store.owned_by(LOCAL)
    incoming = open_incoming(house.store.storage, LOCAL)
    quotas = OwnerQuotas(LOCAL, house.url, house.queue, Footprint(store, incoming), limits)
    return BatchService(
        house.url, store, incoming, house.library, house.queue, quotas, is_limited=True
    )


def upload(house: Installation, data: bytes = SONG, *, n_sent: int | None = None) -> BatchInput:
    incoming = open_incoming(house.store.storage, LOCAL)
    id = incoming.create("song.wav", len(data)).id
    with incoming.append(id, 0) as writer:
        writer.write(data[:n_sent])
    return BatchInput(upload_id=id)


def request(house: Installation, *inputs: BatchInput) -> str:
    id = new_job_id()
    batches_of(house).request(id, "test", inputs, ProcessingOptions())
    return id


def wait_for_end(house: Installation, id: str) -> str:
    store = batches_of(house).batches
    house.wait_until(lambda: store.get(id).finished_at is not None)
    return str(store.get(id).state)


@on_both_databases
def test_a_batch_makes_a_job_of_each_file_and_ends_with_the_last(house: Installation) -> None:
    """A file that cannot be used must fail alone; bytes that are there are not sent again."""
    earlier = house.submit_song(SONG)
    sha256 = house.manifest(earlier).tracks[0].source.sha256
    inputs = (upload(house), upload(house, b"no audio"), BatchInput(sha256=sha256, name="B.wav"))
    id = request(house, *inputs)
    house.start_worker()

    assert wait_for_end(house, id) == "completed"

    store = batches_of(house).batches
    first, bad, known = store.items(id)
    assert [item.state for item in (first, bad, known)] == ["completed", "failed", "completed"]
    assert (bad.job_id, bad.error.code) == (None, "not_audio")
    assert (known.sha256, known.name) == (sha256, "B.wav")
    assert house.state(str(first.job_id)) == "completed"
    counts, n_jobs = store.counts([id])[id]
    assert (counts.completed, counts.failed, n_jobs) == (2, 1, 2)
    with pytest.raises(UploadNotFound):  # taken by its job
        open_incoming(house.store.storage, LOCAL).get(str(inputs[0].upload_id))


def test_a_batch_that_was_not_queued_goes_on_by_itself(house: Installation) -> None:
    """An API process may be killed between writing a batch and queueing it."""
    id = new_job_id()
    store = batches_of(house).batches
    store.create(id, "", items_of([upload(house)]), ProcessingOptions(), is_limited=False)
    house.start_worker()
    assert wait_for_end(house, id) == "completed"


@pytest.mark.slow
def test_a_killed_api_leaves_a_whole_batch_or_none(house: Installation) -> None:
    """It is killed while it writes thousands of rows, before it has answered."""
    sha256 = house.manifest(house.submit_song(SONG)).tracks[0].source.sha256
    n = 3_000
    body = {"inputs": [{"sha256": sha256}] * n, "options": {"model": "none", "stages": ""}}
    command = [sys.executable, "-m", "cli.main", "api"]
    with held_ports() as (port,):
        environment = {**os.environ, "DATA_DIR": str(house.data_dir), "API_PORT": str(port)}
        url = f"http://127.0.0.1:{port}"
        with (
            running(command, env=environment, stderr=subprocess.DEVNULL) as api,
            Client(url) as client,
        ):
            house.wait_until(lambda: is_answered(client))
            sending = threading.Thread(target=send_in_vain, args=(f"{url}/batches", body))
            sending.start()
            store = batches_of(house).batches
            house.wait_until(lambda: store.page(None, 1))
            api.kill()
            sending.join()
    (batch,) = store.page(None, 10)
    assert store.counts([batch.id])[batch.id][0].queued == n

    house.start_worker()
    house.wait_until(lambda: store.counts([batch.id])[batch.id][1])
    batches_of(house).cancel(batch.id)
    assert wait_for_end(house, batch.id) == "cancelled"


def is_answered(client: Client) -> bool:
    try:
        return bool(client.get_health())
    except ApiUnreachable:
        return False


def send_in_vain(url: str, body: object) -> None:
    with suppress(requests.RequestException):
        requests.post(url, json=body, timeout=60)


@pytest.mark.slow
@on_both_databases
def test_a_killed_worker_makes_no_job_twice_and_leaves_none_out(house: Installation) -> None:
    """The next worker goes on in the middle of a batch."""
    n = 30
    id = request(house, *(upload(house) for _ in range(n)))
    store = batches_of(house).batches
    first = house.start_worker()
    house.wait_until(lambda: store.counts([id])[id][1] >= 3)
    first.kill()
    n_made = store.counts([id])[id][1]

    house.start_worker()
    house.wait_until(lambda: store.counts([id])[id][1] == n)

    assert n_made < n, "the worker was killed in the middle"
    jobs = [str(item.job_id) for item in store.items(id)]
    assert sorted(jobs) == sorted(house.store.job_ids())
    batches_of(house).cancel(id)
    assert wait_for_end(house, id) in ("cancelled", "completed")


def test_cancel_ends_all_jobs_and_makes_no_more(house: Installation) -> None:
    id = request(house, upload(house), upload(house))
    batches = batches_of(house)
    assert batches.cancel(id).state == JobState.CANCELLED, "no job was made yet"
    house.start_worker()
    other = request(house, upload(house))
    wait_for_end(house, other)
    assert [item.job_id for item in batches.batches.items(id)] == [None, None]
    assert len(house.store.job_ids()) == 1


def test_delete_removes_the_jobs_and_at_once_the_batch(house: Installation) -> None:
    id = request(house, upload(house))
    house.start_worker()
    wait_for_end(house, id)
    batches = batches_of(house)

    batches.delete(id)

    with pytest.raises(BatchNotFound):
        batches.batches.get(id)
    assert batches.batches.page(None, 10) == []
    house.wait_until(lambda: not BatchWork(house.url).all_jobs(id))
    assert house.store.job_ids() == []


def test_a_job_that_is_tried_again_opens_its_batch_again(
    house: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for the batch would otherwise take the first end for the last.

    An end that nobody told is found.
    """
    id = request(house, upload(house))
    batches = batches_of(house)
    worker = house.start_worker()
    wait_for_end(house, id)
    worker.kill()
    job_id = str(batches.batches.items(id)[0].job_id)
    house.log.tell(house.manifest(job_id), JobState.QUEUED)

    record = batches.batches.get(id)

    assert (record.finished_at, record.state) == (None, None)
    monkeypatch.setattr(batch_runner, "NOTE_EVERY_S", 0.0)
    BatchSweep(house.url, house.store, house.queue).round()
    assert batches.batches.get(id).state == JobState.COMPLETED


def test_what_cannot_be_a_batch_leaves_nothing(house: Installation) -> None:
    """One wrong input of thousands must not leave a batch of the others."""
    batches = batches_of(house, OwnerLimits(open_jobs=2))
    good, options = upload(house), ProcessingOptions()
    for wrong, error in (
        (upload(house, n_sent=5), UploadIncomplete),
        (BatchInput(upload_id="0" * 32), UploadNotFound),
        (BatchInput(sha256="0" * 64), UploadNotFound),
    ):
        with pytest.raises(error) as refused:
            batches.request(new_job_id(), "", [good, wrong], options)
        assert refused.value.field == "inputs.1"
    with pytest.raises(QuotaExceeded):
        batches.request(new_job_id(), "", [good] * 3, options)
    assert batches.batches.page(None, 10) == []

    batches.request(new_job_id(), "", [good, good], options)
    with pytest.raises(QuotaExceeded):  # files that wait for their jobs have their places
        batches.request(new_job_id(), "", [good], options)
