"""Cancelling and deleting: at once on record, soon in fact, nothing left on disk."""

from pathlib import Path

import pytest

from core.errors import DatabaseUnavailable, JobNotFound
from core.jobs.queue import JobQueue
from core.jobs.service import JobService
from stemcrate.schemas.options import ProcessingOptions
from tests.conditions import PATIENCE_S
from tests.integration.jobs.installation import Installation, on_both_databases
from tests.integration.jobs.stages_for_tests import work_files


@on_both_databases
def test_a_queued_job_that_was_cancelled_never_starts(house: Installation) -> None:
    """No worker runs yet; when one comes, it does the other job only."""
    cancelled, other = house.submit("work=0.1"), house.submit("work=0.1")

    assert house.service.cancel(cancelled) == "cancelled"
    assert house.state(cancelled) == "cancelled"
    house.start_worker()

    assert house.wait_for_end(other) == "completed"
    assert set(house.attempts(cancelled).values()) == {0}
    assert house.service.cancel(cancelled) == "cancelled"


@pytest.mark.parametrize("manner", ["polite", "deaf"])
def test_a_running_job_stops(house: Installation, manner: str) -> None:
    """A stage that listens stops by itself; the process of one that does not is killed."""
    house.start_worker()
    job_id = house.submit(*[f"work=600 {manner}"] * 2)
    house.wait_for_work(job_id)

    assert house.service.cancel(job_id) == "cancelled"

    house.wait_until(lambda: not house.store.work_folder(job_id).exists())
    manifest = house.manifest(job_id)
    assert manifest.error is not None
    assert manifest.error.code == "job_cancelled"
    assert {s.state for s in manifest.all_stages()} == {"completed", "cancelled"}
    following = house.submit("work=0.1")
    assert house.wait_for_end(following) == "completed"
    assert house.state(job_id) == "cancelled"


def test_a_job_that_has_ended_cannot_be_cancelled(house: Installation) -> None:
    house.start_worker()
    job_id = house.submit("work=0.1")
    house.wait_for_end(job_id)

    assert house.service.cancel(job_id) == "completed"
    assert house.state(job_id) == "completed"


@on_both_databases
def test_deleting_a_running_job_leaves_nothing(house: Installation) -> None:
    """Its stage does not listen, and writes afterwards: that must not bring the folder back."""
    house.start_worker(cancel_grace_s=PATIENCE_S)
    deleted = house.data_dir / "deleted"
    job_id, other = house.submit(f"until={deleted} deaf"), house.submit("work=0.1")
    sha256 = house.manifest(job_id).tracks[0].source.sha256
    house.wait_for_work(job_id)

    house.service.delete(job_id)
    deleted.touch()

    with pytest.raises(JobNotFound):
        house.manifest(job_id)
    assert house.wait_for_end(other) == "completed"
    house.wait_until(lambda: not house.store.job_folder(job_id).exists())
    assert not house.store.upload_path(sha256).exists()
    assert house.store.job_ids() == [other]


def test_a_job_that_cannot_be_queued_leaves_nothing(house: Installation, tmp_path: Path) -> None:
    """The database is gone: the client is told, and no job waits for ever."""
    unreachable = JobQueue(f"sqlite:///{tmp_path / 'no-such-folder' / 'jobs.sqlite'}")
    service = JobService(house.store, unreachable, house.log, house.pipeline, house.library)
    with house.store.open_upload("song.txt", 100) as writer:
        writer.write(b"work=0.1")
        upload = writer.commit("01890a5d-ac96-774b-bcce-b302099a8057")

    with pytest.raises(DatabaseUnavailable):
        service.submit([upload], ProcessingOptions(), "01890a5d-ac96-774b-bcce-b302099a8057")

    assert not unreachable.is_healthy()
    assert house.queue.is_healthy()
    assert house.store.job_ids() == []
    assert not house.store.upload_path(upload.sha256).exists()
    house.wait_until(lambda: work_files(house.store, "01890a5d-ac96-774b-bcce-b302099a8057") == [])
