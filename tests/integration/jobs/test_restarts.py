"""Restarts cost time and nothing else: what counts against a stage, and what does not."""

import random
import signal
import time

import psutil
import pytest

from core.pipeline.attempts import DeathLimits
from stemcrate.schemas.manifest import StageState
from tests.conditions import PATIENCE_S
from tests.integration.jobs.installation import Installation, Worker, on_both_databases

N_RESTARTS = 5
N_KILLS = 6


@on_both_databases
def test_clean_restarts_during_one_stage_do_not_count(house: Installation) -> None:
    """Four ended the track as "worker_lost", and its upload was deleted."""
    told_to_end = house.data_dir / "told-to-end"
    job_id = house.submit(f"until={told_to_end}")
    for number in range(1, N_RESTARTS + 1):
        worker = house.start_worker()
        house.wait_for_attempt(job_id, number)
        worker.children()
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(PATIENCE_S) == 0
        assert house.stage_state(job_id, "work") == "pending", "it was given back"
        house.wait_until(worker.leaves_no_orphan)
    told_to_end.touch()
    house.start_worker()

    assert house.wait_for_end(job_id) == "completed"
    assert house.attempts(job_id) == {"read": 1, "work": N_RESTARTS + 1, "describe": 1, "sum": 1}
    deaths = house.manifest(job_id).stage("work", 0).deaths
    assert (deaths.process, deaths.worker) == (0, 0)


@on_both_databases
def test_a_stop_hands_the_work_to_another_worker_at_once(house: Installation) -> None:
    """It need not wait until somebody finds the lock of the first one free."""
    house.start_worker(reaper_interval_s=600.0)
    job_id = house.submit("stuck")
    house.wait_for_work(job_id)
    house.start_worker(reaper_interval_s=600.0)
    house.wait_until(house.workers[1].is_ready)
    house.workers[0].process.send_signal(signal.SIGTERM)

    assert house.wait_for_end(job_id) == "completed"
    assert house.attempts(job_id)["work"] == 2


def test_a_service_manager_may_signal_every_process(house: Installation) -> None:
    """SIGTERM to the stage's process as well looked as if that had crashed."""
    worker = house.start_worker()
    job_id = house.submit("stuck")
    house.wait_for_work(job_id)
    for process in [*worker.children(), psutil.Process(worker.process.pid)]:
        process.terminate()
    assert worker.process.wait(PATIENCE_S) == 0
    house.start_worker()

    assert house.wait_for_end(job_id) == "completed"
    deaths = house.manifest(job_id).stage("work", 0).deaths
    assert (deaths.process, deaths.worker) == (0, 0)


def test_a_stage_that_gets_further_each_time_is_not_given_up(house: Installation) -> None:
    """Each death follows progress: more memory was all that it lacked, and it gets by without."""
    n_deaths = DeathLimits().process + 1
    worker = house.start_worker()
    job_id = house.submit(f"stuck={n_deaths} grows")
    for number in range(1, n_deaths + 1):
        house.wait_for_attempt(job_id, number)
        stage_process(worker).kill()

    assert house.wait_for_end(job_id) == "completed"
    record = house.manifest(job_id).stage("work", 0)
    assert (record.attempts, record.deaths.process) == (n_deaths + 1, 1)
    assert worker.process.poll() is None


@on_both_databases
def test_kills_of_everything_at_random_moments_lose_nothing(house: Installation) -> None:
    """20 kills of a whole machine lost 3 of 50 tracks."""
    rng = random.Random(2026)
    job_ids = [house.submit("work=0.5", "work=1"), house.submit("work=2")]
    done: dict[tuple[str, str, int | None], int] = {}
    for _ in range(N_KILLS):
        worker = house.start_worker()
        house.wait_until(worker.is_ready)
        time.sleep(rng.uniform(0, 4))
        worker.kill()
        for child in worker.family:
            child.kill() if child.is_running() else None
        done |= _completed(house, job_ids)
    house.start_worker()

    assert [house.wait_for_end(job_id) for job_id in job_ids] == ["completed", "completed"]
    assert [house.manifest(job_id).n_failed_tracks for job_id in job_ids] == [0, 0]
    assert done.items() <= _completed(house, job_ids).items(), "a finished stage ran again"


def _completed(house: Installation, job_ids: list[str]) -> dict[tuple[str, str, int | None], int]:
    """Give the attempts of each stage that has completed."""
    found: dict[tuple[str, str, int | None], int] = {}
    for manifest in map(house.manifest, job_ids):
        owners = [*((track.index, track.stages) for track in manifest.tracks)]
        for index, records in [*owners, (None, manifest.stages)]:
            for record in records:
                if record.state == StageState.COMPLETED:
                    found[manifest.job_id, record.name, index] = record.attempts
    return found


def stage_process(worker: Worker) -> psutil.Process:
    for process in worker.children():
        if any(file.path.endswith("stages-gpu.log") for file in process.open_files()):
            return process
    pytest.fail("no process runs the main stage")
