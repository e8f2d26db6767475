"""Owners take turns: many jobs of one do not keep another waiting."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.artifacts.store import JobStore
from core.jobs.queue import JOBS_QUEUE
from core.jobs.service import JobService
from core.pipeline.runtime import Runtime
from tests.integration.jobs.installation import Installation, on_both_databases
from tests.integration.jobs.stages_for_tests import build_pipeline_for_tests

N_JOBS = 12
N_AHEAD = 7
"""At most so many jobs of a crowd end before one of somebody else: those that had begun, and
those whose stages stand before it while it passes through."""


@pytest.fixture
def submit_as(house: Installation) -> Callable[[str, str], str]:
    """Submit a job of one track for an owner; give its id."""
    everybody = house.service

    def submit(owner: str, words: str) -> str:
        store = JobStore(Path(house.data_dir), owner)
        pipeline = build_pipeline_for_tests(store, Runtime())
        house.service = JobService(store, house.queue, house.log, pipeline, house.library)
        try:
            return house.submit(words)
        finally:
            house.service = everybody

    return submit


@pytest.mark.slow
@on_both_databases
def test_a_small_job_is_not_behind_all_of_another_owner(
    house: Installation, submit_as: Callable[[str, str], str]
) -> None:
    """One queue for all would serve the only job of Berta after the last of Anna."""
    crowd = [submit_as("anna", "work=0.05") for _ in range(N_JOBS)]
    single = submit_as("berta", "work=0.05")
    assert house.queue.waiting().index(single) == 1, "after the first job of Anna"

    house.start_worker()
    assert house.wait_for_end(single) == "completed"
    house.wait_until(lambda: end_of(house, single))

    ends = [end for job_id in crowd if (end := end_of(house, job_id))]
    assert sum(end < end_of(house, single) for end in ends) <= N_AHEAD


def end_of(house: Installation, job_id: str) -> int:
    """Give the number of the event that ended a job; 0 before its end."""
    states = [e for e in house.log.since(job_id) if e.kind == "state"]
    return next((e.seq for e in states if e.payload["state"] == "completed"), 0)


def test_a_job_that_an_earlier_version_queued_gets_a_turn(house: Installation) -> None:
    """The engine starts nothing in a partitioned queue that has no partition."""
    job_id = house.submit("work=0.05")
    house.set_workflow(job_id, queue_partition_key=None)

    house.start_worker()

    assert house.wait_for_end(job_id) == "completed"


def test_a_tried_again_job_keeps_its_owner(
    house: Installation, submit_as: Callable[[str, str], str]
) -> None:
    """A job must not move into the partition of another by a retry."""
    job_id = submit_as("anna", "work=0.05")
    house.service.cancel(job_id)
    house.service.retry(job_id)

    rows = house.queue.job_states({job_id: 1})
    assert (rows[job_id].queue_name, rows[job_id].queue_partition_key) == (JOBS_QUEUE, "anna")
