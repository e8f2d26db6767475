"""Where a job stands: the fraction, the time that is left, the order of the log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.jobs.database import prepare_database
from core.jobs.progress import LoggedEvent, ProgressLog, job_progress
from core.jobs.timing import Throttle
from stemcrate.schemas.manifest import (
    JobState,
    ProcessingManifest,
    ProcessingStage,
    SourceRecord,
    StageState,
    TrackRecord,
)

COSTS = {"decode": 1.0, "separation": 8.0, "playlist": 1.0}
STARTED = datetime(2026, 1, 1, tzinfo=UTC)


def manifest(*states: tuple[str, str], last: str = "pending") -> ProcessingManifest:
    """A running job whose tracks have the stages decode and separation in these states."""
    tracks = [
        TrackRecord(
            index=index,
            source=SourceRecord(name="song", sha256="0", bytes=1),
            state=JobState.RUNNING,
            stages=[stage("decode", first), stage("separation", second)],
        )
        for index, (first, second) in enumerate(states)
    ]
    return ProcessingManifest(
        job_id="job",
        state=JobState.RUNNING,
        created_at=STARTED,
        started_at=STARTED,
        tracks=tracks,
        stages=[stage("playlist", last)],
    )


def stage(name: str, state: str) -> ProcessingStage:
    return ProcessingStage(name=name, version="1", state=StageState(state))


def progress_event(fraction: float, index: int | None = 0, name: str = "separation") -> LoggedEvent:
    payload = {"kind": "progress", "stage": name, "track_index": index, "fraction": fraction}
    return LoggedEvent(1, STARTED, payload)


def stage_event(state: str, index: int = 0, name: str = "separation") -> LoggedEvent:
    payload = {"kind": "stage", "stage": name, "track_index": index, "state": state}
    return LoggedEvent(1, STARTED, payload)


def at(seconds: float) -> datetime:
    return STARTED + timedelta(seconds=seconds)


def test_a_job_that_waits_is_at_its_beginning() -> None:
    waiting = manifest(("pending", "pending"))
    waiting.state, waiting.started_at = JobState.QUEUED, None

    told = job_progress(waiting, [], COSTS)

    assert (told.stage, told.track_index, told.fraction, told.eta_s) == (None, None, 0.0, None)


def test_stages_count_by_their_cost() -> None:
    """decode 1 of 10, and half of separation's 8."""
    told = job_progress(manifest(("completed", "running")), [progress_event(0.5)], COSTS, at=at(10))

    assert told.fraction == pytest.approx((1 + 8 * 0.5) / 10)
    assert told.eta_s == pytest.approx(10.0)
    assert (told.stage, told.track_index) == ("separation", 0)


def test_two_tracks_add_up_and_the_costliest_stage_is_shown() -> None:
    told = job_progress(
        manifest(("running", "pending"), ("completed", "running")),
        [progress_event(0.25, 1), progress_event(0.5, 0, "decode"), progress_event(0.1, 1)],
        COSTS,
        at=at(10),
    )

    assert told.fraction == pytest.approx((0.5 + 1 + 8 * 0.25) / 19, abs=1e-4)
    assert (told.stage, told.track_index) == ("separation", 1)


def test_between_two_stages_the_next_one_is_shown() -> None:
    """A screen that asks in between must not flicker."""
    told = job_progress(manifest(("completed", "pending"), ("pending", "pending")), [], COSTS)
    assert (told.stage, told.track_index) == ("separation", 0)

    told = job_progress(manifest(("completed", "completed")), [], COSTS)
    assert (told.stage, told.track_index) == ("playlist", None)


def test_a_stage_that_begins_again_begins_at_nothing() -> None:
    """Progress of the attempt that died is not progress of the one that runs."""
    told = job_progress(
        manifest(("completed", "running")), [stage_event("running"), progress_event(0.9)], COSTS
    )

    assert told.fraction == pytest.approx(0.1)


def test_the_time_left_is_not_guessed_too_early() -> None:
    running = manifest(("completed", "running"))

    assert job_progress(running, [], COSTS, at=at(1)).eta_s is None
    assert job_progress(manifest(("running", "pending")), [], COSTS, at=at(60)).eta_s is None
    assert job_progress(running, [], COSTS, at=at(4)).eta_s == pytest.approx(36)


def test_a_track_that_failed_holds_nothing_up() -> None:
    """Its later stages will never run."""
    running = manifest(("failed", "pending"), ("completed", "completed"))
    running.tracks[0].state = JobState.FAILED

    assert job_progress(running, [], COSTS).fraction == pytest.approx(18 / 19, abs=1e-4)


def test_a_job_is_whole_only_when_it_is_completed() -> None:
    done = manifest(("completed", "completed"), last="completed")
    assert job_progress(done, [], COSTS).fraction == 0.999

    done.state = JobState.COMPLETED
    assert job_progress(done, [], COSTS).fraction == 1.0


def test_a_job_without_stages_has_a_progress() -> None:
    empty = manifest()
    empty.stages = []

    assert job_progress(empty, [], COSTS).fraction == 0.0


def test_the_time_left_follows_the_stage_that_runs_and_what_the_others_cost() -> None:
    """With costs alone, a model ten times as fast as the table says promises minutes too many."""
    running = manifest(("completed", "running"))
    running.tracks[0].stages[0].seconds = 2.0  # a unit of cost takes two seconds here
    event = progress_event(0.5)
    event.payload["eta_s"] = 12.0

    told = job_progress(running, [event], COSTS, at=at(5))

    assert told.eta_s == pytest.approx(12.0 - 5.0 + 2.0)


def test_progress_is_reported_twice_a_second_and_never_backwards() -> None:
    moments = iter([0.0, 0.1, 0.49, 0.5, 1.2, 1.8])
    seen: list[float] = []
    throttle = Throttle(seen.append, clock=lambda: next(moments))

    for fraction in (0.1, 0.2, 0.3, 0.4, 0.35, 0.6):
        throttle(fraction)

    assert seen == [0.1, 0.4, 0.6]


def test_a_reader_that_comes_back_misses_nothing(tmp_path: Path) -> None:
    """The number of the last event that it saw is enough."""
    url = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    prepare_database(url)
    log = ProgressLog(url)
    for number in range(5):
        log.append("a", {"kind": "progress", "number": number})
        log.append("b", {"kind": "progress", "number": -number})

    first = log.since("a", limit=2)
    rest = log.since("a", first[-1].seq)

    assert [e.payload["number"] for e in first + rest] == [0, 1, 2, 3, 4]
    assert [e.payload["number"] for e in log.latest("b", 2)] == [-4, -3]
    assert first[0].at.tzinfo is UTC
    assert first[0].kind == "progress"
    log.forget("a")
    assert log.since("a") == []
    assert len(log.since("b")) == 5


def test_numbers_are_not_used_twice(tmp_path: Path) -> None:
    """A reader that waits after number 1 must see what comes after a deletion."""
    url = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    prepare_database(url)
    log = ProgressLog(url)
    log.append("a", {"kind": "progress"})
    last = log.since("a")[-1].seq
    log.forget("a")
    log.append("a", {"kind": "progress"})

    assert [event.seq for event in log.since("a", last)] == [last + 1]


def test_a_cancelled_job_is_as_far_as_it_came() -> None:
    """Stages that a cancel ended are not done: no bar at 99 % over a job that gave nothing."""
    job = manifest(("completed", "cancelled"), last="cancelled")
    job.state = job.tracks[0].state = JobState.CANCELLED
    assert job_progress(job, [], COSTS).fraction == pytest.approx(0.1)


def test_silence_is_that_of_the_stage_that_runs() -> None:
    """What other tracks say does not hide that the separation of this one hangs."""
    running = manifest(("completed", "running"), ("running", "pending"))
    other = LoggedEvent(3, at(20), {"kind": "stage", "stage": "decode", "track_index": 1})
    events = [other, progress_event(0.5)]

    assert job_progress(running, events, COSTS, at=at(25)).silent_s == 25.0
    assert job_progress(running, [other], COSTS, at=at(25)).silent_s is None
