"""What the reaper does with jobs that nobody looks after."""

import os
import shutil
from collections.abc import Collection, Mapping
from datetime import timedelta

import pytest
from dbos import WorkflowStatus

from core.jobs import reaper as reaper_module
from core.jobs.liveness import open_liveness
from core.jobs.reaper import Reaper
from core.jobs.recovery import Recovery
from core.jobs.stalled import stalled_jobs
from core.system.clock import now
from core.system.database import is_sqlite
from tests.integration.jobs.installation import Installation, on_both_databases


class Fenced(BaseException):
    pass


class NoRecovery(Recovery):
    """Recovers nothing: these tests launch no engine."""

    def __init__(self, running: Collection[str] = (), *, lost: Collection[str] = ()) -> None:
        self._running = set(running)
        self._lost = set(lost)
        self.taken_back: list[str] = []

    def recover(self, executor_id: str) -> None:
        pass

    def adopt(self) -> None:
        pass

    def running(self) -> set[str]:
        return self._running

    def lost(self, workflow_ids: Collection[str], executor_id: str) -> set[str]:
        return self._lost

    def take_back(self, workflow_id: str, executor_id: str) -> None:
        assert executor_id == "me"
        self.taken_back.append(workflow_id)


def reaper_of(
    house: Installation, *, retention_days: float = 0.0, recovery: Recovery | None = None
) -> Reaper:
    """The reaper of a worker that lives, without the worker."""
    liveness = open_liveness(house.url)
    liveness.hold("me")

    def fence() -> None:
        raise Fenced

    return Reaper(
        house.pipeline,
        house.queue,
        house.log,
        executor_id="me",
        liveness=liveness,
        fence=fence,
        retention_days=retention_days,
        recovery=recovery or NoRecovery(),
    )


def make_older(house: Installation, job_id: str, **age: float) -> None:
    with house.store.update(job_id) as manifest:
        manifest.created_at = now() - timedelta(**age)
        if manifest.finished_at is not None:
            manifest.finished_at = now() - timedelta(**age)


@on_both_databases
def test_a_job_that_killed_every_worker_is_closed_as_failed(house: Installation) -> None:
    """The engine stopped trying; without this the manifest would say "running" for ever."""
    job_id = house.submit("work=0.1")
    house.pipeline.start(job_id)
    house.set_workflow(job_id, status="MAX_RECOVERY_ATTEMPTS_EXCEEDED")

    reaper_of(house).tick()

    error = house.manifest(job_id).error
    assert house.state(job_id) == "failed"
    assert error is not None
    assert error.code == "worker_lost"
    assert house.log.latest(job_id, 1)[0].payload == {"kind": "state", "state": "failed"}


def test_a_job_that_vanishes_does_not_end_the_round_of_the_others(
    house: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job deleted between two looks raised `JobNotFound`; jobs behind it stayed open."""
    first, vanished, last = (house.submit("work=0.1") for _ in range(3))
    for job_id in (first, vanished, last):
        house.pipeline.start(job_id)
        house.set_workflow(job_id, status="MAX_RECOVERY_ATTEMPTS_EXCEEDED")
    job_states = house.queue.job_states

    def delete_after_looking(jobs: Mapping[str, int]) -> dict[str, WorkflowStatus]:
        states = job_states(jobs)
        house.store.delete(vanished)
        return states

    monkeypatch.setattr(house.queue, "job_states", delete_after_looking)
    reaper_of(house).close_lost()

    assert house.state(first) == house.state(last) == "failed"


@on_both_databases
def test_a_job_that_the_queue_lost_is_closed_as_failed(house: Installation) -> None:
    """Not at once: the manifest is written a moment before the job is queued."""
    job_id = house.submit("work=0.1")
    house.queue._client.delete_workflows([job_id])
    reaper = reaper_of(house)

    reaper.tick()
    assert house.state(job_id) == "queued"

    make_older(house, job_id, minutes=2)
    reaper.tick()
    assert house.state(job_id) == "failed"


def test_a_job_that_runs_outside_the_queue_is_left_alone(house: Installation) -> None:
    """`stemcrate process` runs its job itself, and holds it while it does."""
    job_id = house.submit("work=0.1")
    house.queue._client.delete_workflows([job_id])
    make_older(house, job_id, minutes=2)

    with house.store.hold(job_id):
        reaper_of(house).tick()

    assert house.state(job_id) == "queued"


@on_both_databases
def test_waiting_and_ended_jobs_are_left_alone(house: Installation) -> None:
    waiting, cancelled = house.submit("work=0.1"), house.submit("work=0.1")
    house.service.cancel(cancelled)
    reaper = reaper_of(house)

    reaper.tick()
    reaper.tick()

    assert house.state(waiting) == "queued"
    assert house.state(cancelled) == "cancelled"


@on_both_databases
def test_old_jobs_are_deleted_with_all_that_belongs_to_them(house: Installation) -> None:
    old, young = house.submit("work=0.1"), house.submit("work=0.2")
    for job_id in (old, young):
        house.service.cancel(job_id)
    make_older(house, old, days=3)
    sha256 = house.manifest(old).tracks[0].source.sha256
    house.set_workflow(old, updated_at=0)

    reaper_of(house, retention_days=2).tick()

    assert house.store.job_ids() == [young]
    assert not house.store.upload_path(sha256).exists()
    assert house.log.since(old) == []
    assert house.queue.job_states({old: 0, young: 0}).keys() == {young}


def test_nothing_is_deleted_unless_asked(house: Installation) -> None:
    job_id = house.submit("work=0.1")
    house.service.cancel(job_id)
    make_older(house, job_id, days=3000)

    reaper_of(house).tick()

    assert house.store.job_ids() == [job_id]


def test_remains_of_a_dead_worker_are_removed(house: Installation) -> None:
    """Cancelled while its worker was dying: nobody was there to remove the work files."""
    cancelled, deleted = house.submit("work=0.1"), house.submit("work=0.2")
    house.service.cancel(cancelled)
    make_older(house, cancelled, minutes=1)
    (house.store.work_folder(cancelled) / "0").mkdir(parents=True)
    house.service.delete(deleted)
    remains = house.store.job_folder(deleted)
    remains.mkdir()
    os.utime(remains, (0, 0))

    reaper_of(house).tick()

    assert not house.store.work_folder(cancelled).exists()
    assert not remains.exists()


@on_both_databases
def test_a_job_begun_by_another_version_begins_anew(house: Installation) -> None:
    """After an upgrade nobody can replay it: it would be "running" for ever."""
    job_id = house.submit("work=0.1")
    house.pipeline.start(job_id)
    house.set_workflow(job_id, status="PENDING", executor_id="dead", application_version="of old")

    reaper_of(house).tick()

    assert house.queue.job_states({job_id: 0})[job_id].status == "ENQUEUED"
    house.start_worker()
    assert house.wait_for_end(job_id) == "completed"


def test_a_worker_that_lost_its_lock_is_fenced(house: Installation) -> None:
    """The file of its lock is gone: others take it for dead."""
    reaper = reaper_of(house)
    reaper._liveness.release()

    with pytest.raises(Fenced):
        reaper.tick()


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
@pytest.mark.parametrize("lost", [[], ["a stage"]])
def test_a_lock_is_renewed_only_while_the_work_is_its_own(
    house: Installation, lost: list[str]
) -> None:
    """That the lock was free did not mean that nobody had taken the work meanwhile."""
    reaper = reaper_of(house, recovery=NoRecovery(["a stage"], lost=lost))
    reaper._liveness.release()

    if lost:
        with pytest.raises(Fenced):
            reaper.tick()
    else:
        reaper.tick()
        assert reaper._liveness.is_held()


@on_both_databases
def test_work_that_was_taken_counts_although_its_thread_has_ended(house: Installation) -> None:
    """The thread found out before the next look, and the worker went on as if nothing had been."""

    class Taken(NoRecovery):
        def lost(self, workflow_ids: Collection[str], executor_id: str) -> set[str]:
            return {"taken"} & set(workflow_ids)

    recovery = Taken(running=["taken"])
    reaper = reaper_of(house, recovery=recovery)
    reaper.tick()
    recovery._running = set()
    reaper._is_sure = False  # it holds its lock again
    with pytest.raises(Fenced):
        reaper.tick()
    reaper._liveness.release()


@on_both_databases
def test_nobody_renews_a_lock_while_its_work_is_taken(house: Installation) -> None:
    """Or it would look at its work before it is taken, and go on."""
    executor_id = "worker@other-1-abc"
    paused, other = open_liveness(house.url), open_liveness(house.url)
    paused.hold(executor_id)
    with other.if_dead(executor_id) as is_dead:
        assert not is_dead
    paused.release()
    with other.if_dead(executor_id) as is_dead:
        assert is_dead
        if not is_sqlite(house.url):
            with pytest.raises(RuntimeError, match="another process holds"):
                paused.hold(executor_id)
    paused.release()


def test_a_damaged_manifest_is_left_alone_and_said_so(
    house: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    """A manifest that cannot be read must not keep lost jobs from being closed."""
    job_id = house.submit("work=0.1")
    (house.store.job_folder(job_id) / "manifest.json").write_text("no json")

    reaper_of(house).tick()

    assert "its manifest cannot be read" in caplog.text
    assert "could not finish its round" not in caplog.text
    shutil.rmtree(house.store.job_folder(job_id))


@on_both_databases
def test_jobs_of_ended_workers_stand_still(house: Installation) -> None:
    """Jobs that nobody ran looked as if they were running."""
    waiting, running, stalled = (house.submit("work=0.1") for _ in range(3))
    house.set_workflow(running, status="PENDING", executor_id="me")
    house.set_workflow(stalled, status="PENDING", executor_id="another")
    liveness = open_liveness(house.url)
    liveness.hold("me")

    assert stalled_jobs(house.queue, house.url) == {stalled}
    assert house.state(waiting) == "queued"
    liveness.release()


@on_both_databases
def test_own_work_that_no_thread_runs_is_taken_back(
    house: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine drops a workflow whose result it cannot write: it said "running" for ever."""
    dropped, running, foreign = (house.submit("work=0.1") for _ in range(3))
    for job_id, executor_id in ((dropped, "me"), (running, "me"), (foreign, "another")):
        house.set_workflow(job_id, status="PENDING", executor_id=executor_id)
    recovery = NoRecovery([running])
    reaper = reaper_of(house, recovery=recovery)

    reaper.take_back_dropped()
    assert recovery.taken_back == []  # it may only just have left its queue

    monkeypatch.setattr(reaper_module, "DROPPED_AFTER_S", 0.0)
    reaper.take_back_dropped()
    assert recovery.taken_back == [dropped]
