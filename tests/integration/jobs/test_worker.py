"""Jobs through the real queue, the real engine and real worker processes."""

import signal

import psutil
import pytest

from core.errors import WorkerLost
from core.jobs.child import StageProcess
from core.jobs.liveness import live_workers
from core.jobs.stage_child import ChildSpec
from core.jobs.worker import FENCED_EXIT_CODE
from core.pipeline.attempts import DeathLimits
from core.pipeline.runtime import Runtime
from core.pipeline.stage_ref import Attempt, StageRef
from stemcrate.schemas.manifest import JobState
from tests.conditions import PATIENCE_S
from tests.integration.jobs.installation import Installation, Worker, on_both_databases
from tests.integration.jobs.stages_for_tests import FACTORY, work_files


@on_both_databases
def test_a_job_of_two_tracks_runs_to_its_end(house: Installation) -> None:
    """Each stage runs once, in a process that stays for the next stage; the log tells it all."""
    worker = house.start_worker()
    job_id = house.submit("work=0.3", "work=0.3")

    assert house.wait_for_end(job_id) == "completed"

    manifest = house.manifest(job_id)
    assert {stage.attempts for stage in manifest.all_stages()} == {1}
    assert [a.name for a in manifest.all_artefacts()] == ["0/work.txt", "1/work.txt", "sum.txt"]
    assert manifest.playlist.score == 2
    pids = {track.stages[1].result["pid"] for track in manifest.tracks}
    assert len(pids) == 1
    assert worker.process.pid not in pids
    house.wait_until(lambda: work_files(house.store, job_id) == [])
    # The manifest is written before the event, so the log may lag behind it for a moment.
    house.wait_until(lambda: house.job_states(job_id) == ["queued", "running", "completed"])
    assert house.progress(job_id).fraction == 1.0


def test_a_failed_track_does_not_fail_the_others(house: Installation) -> None:
    """An essential stage that fails ends its track; the job completes with the rest."""
    house.start_worker()
    job_id = house.submit("broken", "work=0.1")

    assert house.wait_for_end(job_id) == "completed"

    first, second = house.manifest(job_id).tracks
    assert first.error is not None
    assert first.error.code == "corrupt_audio"
    assert second.state == JobState.COMPLETED


def test_progress_goes_forward_while_a_stage_runs(house: Installation) -> None:
    """The fraction of the job follows the stage that runs."""
    house.start_worker()
    told_to_end = house.data_dir / "told-to-end"
    job_id = house.submit(f"work=1 until={told_to_end}")
    house.wait_for_work(job_id)

    seen = [house.progress(job_id)]

    def has_come_far() -> bool:
        seen.append(house.progress(job_id))
        return seen[-1].fraction > 0.4

    house.wait_until(has_come_far)
    told_to_end.touch()

    assert any(p.stage == "work" and p.track_index == 0 for p in seen)
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    assert house.wait_for_end(job_id) == "completed"


@on_both_databases
def test_a_killed_worker_loses_only_the_stage_that_it_was_in(house: Installation) -> None:
    """SIGKILL in the middle: the next worker goes on there, and no process is left behind."""
    first = house.start_worker()
    job_id = house.submit("stuck")
    house.wait_for_work(job_id)
    first.kill()
    house.wait_until(first.leaves_no_orphan)
    assert house.state(job_id) == "running"

    house.start_worker()

    assert house.wait_for_end(job_id) == "completed", house.manifest(job_id).model_dump_json()
    assert house.attempts(job_id) == {"read": 1, "work": 2, "describe": 1, "sum": 1}


@on_both_databases
def test_a_worker_that_lives_takes_over_from_one_that_died(house: Installation) -> None:
    """The engine alone would leave the job of a dead worker pending for ever."""
    both = [house.start_worker(), house.start_worker()]
    house.wait_until(lambda: live_workers(house.url) == 2)
    job_id = house.submit("stuck")
    house.wait_for_work(job_id)
    next(worker for worker in both if _stage_process(worker)).kill()
    house.wait_until(lambda: live_workers(house.url) == 1)

    assert house.wait_for_end(job_id) == "completed"
    assert house.attempts(job_id) == {"read": 1, "work": 2, "describe": 1, "sum": 1}


def test_a_stopped_worker_leaves_its_job_to_the_next(house: Installation) -> None:
    """SIGTERM: exit code 0 at once, no orphan, and the job is not failed."""
    first = house.start_worker()
    job_id = house.submit("stuck")
    house.wait_for_work(job_id)
    first.children()
    first.process.send_signal(signal.SIGTERM)

    assert first.process.wait(PATIENCE_S) == 0
    house.wait_until(first.leaves_no_orphan)
    assert live_workers(house.url) == 0
    assert house.state(job_id) == "running"

    house.start_worker()
    assert house.wait_for_end(job_id) == "completed"


@on_both_databases
def test_a_worker_that_lost_its_lock_stops(house: Installation) -> None:
    """Another worker may have taken its jobs: going on would run them twice."""
    worker = house.start_worker()
    house.wait_until(lambda: live_workers(house.url) == 1)
    with house.locks_taken_away():
        assert worker.process.wait(PATIENCE_S) == FENCED_EXIT_CODE


def test_a_stage_whose_process_dies_is_tried_again(house: Installation) -> None:
    """A segmentation fault or the kernel's memory killer costs one attempt, not the job."""
    worker = house.start_worker()
    job_id = house.submit("stuck")
    house.wait_for_work(job_id)
    stage = _stage_process(worker)
    assert stage is not None
    stage.kill()

    assert house.wait_for_end(job_id) == "completed"
    assert house.attempts(job_id) == {"read": 1, "work": 2, "describe": 1, "sum": 1}
    assert worker.process.poll() is None


def test_a_stage_that_kills_its_process_every_time_fails_alone(house: Installation) -> None:
    """A poisonous job ends as failed, with a reason, and the next job runs."""
    worker = house.start_worker(stage_max_attempts=2)
    poison, good = house.submit("poison"), house.submit("work=0.1")

    assert house.wait_for_end(poison) == "failed"
    error = house.manifest(poison).error
    assert error is not None
    assert error.code == "worker_lost"
    assert "SIGKILL" in error.message
    assert house.attempts(poison)["work"] == 2
    assert house.wait_for_end(good) == "completed"
    assert worker.process.poll() is None


@on_both_databases
def test_a_stage_that_takes_its_worker_down_fails_alone(house: Installation) -> None:
    """After many workers the stage is given up; the job ends by the pipeline's rules."""
    first = house.start_worker()
    job_id = house.submit("stuck", "work=0.1")
    house.wait_for_work(job_id, 0)
    first.kill()
    house.wait_until(first.leaves_no_orphan)
    with house.store.update(job_id) as manifest:
        deaths = manifest.stage("work", 0).deaths
        deaths.kept_bytes, deaths.worker = 1_000_000, DeathLimits().worker - 1

    house.start_worker()

    assert house.wait_for_end(job_id) == "completed"
    lost, other = house.manifest(job_id).tracks
    assert lost.error is not None
    assert lost.error.code == "worker_lost"
    assert "The worker was killed, or its machine went down, 10 times" in lost.error.message
    assert other.state == JobState.COMPLETED
    assert house.store.has_upload(lost.source.sha256, job_id)


def test_a_request_that_was_given_up_does_not_answer_the_next(house: Installation) -> None:
    """The worker fails while a stage runs: its process must not go on and be taken at its word."""
    spec = ChildSpec(house.store.storage, Runtime(), "stages-test", pipeline_factory=FACTORY)
    process = StageProcess(spec)
    job_id = house.submit("work=5", "work=0.1")

    def fail(_: float) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        process.run(_begin(house, job_id, 0), progress=fail, cancelled=lambda: False)
    assert process.pid is None

    state = process.run(_begin(house, job_id, 1), progress=lambda _: None, cancelled=lambda: False)
    process.kill()
    assert state == "completed"
    assert house.stage_state(job_id, "work", 0) == "running"


def test_a_stage_that_hangs_is_killed(house: Installation) -> None:
    """It would keep its process, and every job behind it, for ever."""
    spec = ChildSpec(house.store.storage, Runtime(), "stages-test", pipeline_factory=FACTORY)
    process = StageProcess(spec, silence_s=2.0)
    job_id = house.submit("stuck deaf")

    with pytest.raises(WorkerLost, match="'work' reported no progress for 2 s"):
        process.run(_begin(house, job_id, 0), progress=lambda _: None, cancelled=lambda: False)
    assert process.pid is None


def _begin(house: Installation, job_id: str, index: int) -> Attempt:
    begun = house.pipeline.attempts.begin(StageRef(job_id, "work", index))
    assert isinstance(begun, Attempt)
    return begun


def _stage_process(worker: Worker) -> psutil.Process | None:
    """Find the process in which this worker runs the main stage, by the log that it writes."""
    for process in worker.children():
        if any(file.path.endswith("stages-gpu.log") for file in process.open_files()):
            return process
    return None
