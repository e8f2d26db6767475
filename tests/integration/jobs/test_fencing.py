"""A worker that was paused, or lost its lock: of two that run a stage, one alone writes."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
import sqlalchemy as sa

from core.artifacts.hashing import hash_file
from core.errors import WorkerLost
from core.jobs.liveness import live_workers
from core.jobs.worker import FENCED_EXIT_CODE
from core.pipeline.attempts import DeathLimits
from core.pipeline.outcome import failure_of
from core.pipeline.stage_ref import Attempt, StageRef
from core.system.database import WORKERS_LOCK_CLASS, engine_for
from tests.conditions import PATIENCE_S
from tests.integration.jobs.installation import Installation, Worker, on_both_databases

on_postgresql = pytest.mark.parametrize("house", ["postgresql"], indirect=True)


@on_postgresql
@pytest.mark.parametrize("paused", ["all its processes", "the worker alone"])
def test_of_a_paused_worker_and_its_successor_one_writes(house: Installation, paused: str) -> None:
    """Both computed one stage for 19 s, in one folder, and the job failed."""
    told_to_end = house.data_dir / "told-to-end"
    first = house.start_worker()
    job_id = house.submit(f"until={told_to_end}")
    house.wait_for_work(job_id)
    processes = [psutil.Process(first.process.pid)]
    if paused == "all its processes":
        processes += first.children()
    with _paused(processes):
        _end_lock_session(house)
        second = house.start_worker()
        house.wait_for_attempt(job_id, 2)
        told_to_end.touch()  # a process of the paused worker that runs on ends now as well
        if paused == "the worker alone":
            assert house.wait_for_end(job_id) == "completed"

    assert first.process.wait(PATIENCE_S) == FENCED_EXIT_CODE
    assert house.wait_for_end(job_id) == "completed"
    _check_that_one_attempt_wrote(house, job_id, second)


@on_postgresql
def test_a_lost_session_costs_nothing_while_nobody_took_the_work(house: Installation) -> None:
    """A restart of the server must not end a worker."""
    told_to_end = house.data_dir / "told-to-end"
    worker = house.start_worker()
    job_id = house.submit(f"until={told_to_end}")
    house.wait_for_work(job_id)
    _end_lock_session(house)
    house.wait_until(lambda: "lost its lock" in worker.log.read_text())
    house.wait_until(lambda: live_workers(house.url) == 1)
    told_to_end.touch()

    assert house.wait_for_end(job_id) == "completed"
    assert house.attempts(job_id)["work"] == 1
    assert worker.process.poll() is None


def test_a_paused_worker_on_the_same_machine_keeps_its_work(house: Installation) -> None:
    """The kernel keeps its lock: nobody takes its work, and it goes on afterwards."""
    told_to_end = house.data_dir / "told-to-end"
    first = house.start_worker()
    job_id = house.submit(f"until={told_to_end}")
    house.wait_for_work(job_id)
    with _paused([psutil.Process(first.process.pid), *first.children()]):
        house.start_worker()
        assert house.wait_for_end(house.submit("work=0.1")) == "completed"
        told_to_end.touch()
    assert house.wait_for_end(job_id) == "completed"
    assert set(house.attempts(job_id).values()) == {1}


def test_a_worker_whose_lock_file_was_removed_gives_way(house: Installation) -> None:
    """Others take it for dead."""
    told_to_end = house.data_dir / "told-to-end"
    first = house.start_worker()
    job_id = house.submit(f"until={told_to_end}")
    house.wait_for_work(job_id)
    (lock,) = (house.data_dir / "locks" / "workers").iterdir()
    second = house.start_worker()
    house.wait_until(lambda: live_workers(house.url) == 2)
    lock.unlink()

    assert first.process.wait(PATIENCE_S) == FENCED_EXIT_CODE
    house.wait_for_attempt(job_id, 2)
    told_to_end.touch()
    assert house.wait_for_end(job_id) == "completed"
    _check_that_one_attempt_wrote(house, job_id, second)


@on_both_databases
def test_a_stale_attempt_changes_nothing(house: Installation) -> None:
    """Whatever it ends with: a result, an error, or a death."""
    job_id = house.submit("work=0.1")
    ref = StageRef(job_id, "work", 0)
    pipeline, attempts = house.pipeline, house.pipeline.attempts
    stale = attempts.begin(ref)
    newest = attempts.begin(ref)
    assert isinstance(stale, Attempt)
    assert isinstance(newest, Attempt)
    before = house.store.read_manifest(job_id)
    lost = WorkerLost("It died.")

    assert pipeline.run_attempt(stale) is None
    assert pipeline.fail_stage(stale, failure_of(lost)) is None
    assert attempts.count_death(stale, lost, DeathLimits()) is None
    attempts.give_back(stale)
    assert house.store.read_manifest(job_id) == before
    assert not (house.store.job_folder(job_id) / "0").exists()

    assert pipeline.run_attempt(newest) == "completed"


@contextmanager
def _paused(processes: list[psutil.Process]) -> Iterator[None]:
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in reversed(processes):
            process.resume()


def _end_lock_session(house: Installation) -> None:
    """End the only worker's session, as the server does when a machine does not answer."""
    held = sa.text("select pid from pg_locks where classid = :lock_class and objsubid = 2")
    with engine_for(house.url).connect() as connection:
        pid = connection.scalar(held, {"lock_class": WORKERS_LOCK_CLASS})
        connection.execute(sa.select(sa.func.pg_terminate_backend(pid)))
    house.wait_until(lambda: live_workers(house.url) == 0 or _is_renewed(house, pid))


def _is_renewed(house: Installation, pid: int) -> bool:
    held = sa.text("select pid from pg_locks where classid = :lock_class and objsubid = 2")
    with engine_for(house.url).connect() as connection:
        return connection.scalar(held, {"lock_class": WORKERS_LOCK_CLASS}) != pid


def _check_that_one_attempt_wrote(house: Installation, job_id: str, winner: Worker) -> None:
    record = house.manifest(job_id).stage("work", 0)
    assert (record.state, record.attempts) == ("completed", 2)
    pid = int((house.store.job_folder(job_id) / "0" / "work.txt").read_text())
    assert record.result == {"pid": pid}
    assert pid in {child.pid for child in winner.children()}
    _check_hash(house, job_id)


def _check_hash(house: Installation, job_id: str) -> None:
    for artefact in house.manifest(job_id).all_artefacts():
        path = house.store.job_folder(job_id) / artefact.name
        assert hash_file(path) == (artefact.sha256, artefact.bytes)
