"""Workers that do a part of the work, and what KEDA asks their queue."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from core.jobs.database import prepare_database
from core.jobs.queue import JobQueue
from tests.conditions import wait_until
from tests.integration.jobs.installation import Installation
from tests.postgres import running_server
from tests.programs import requires

KEDA = Path(__file__).parents[3] / "deploy" / "kubernetes" / "keda"


def query_of(name: str) -> str:
    found: Any = yaml.safe_load((KEDA / f"{name}.yaml").read_text())
    (trigger,) = found["spec"]["triggers"]
    query: str = trigger["metadata"]["query"]
    return query


@pytest.mark.slow
@requires("postgresql")
def test_the_queries_count_what_waits() -> None:
    with running_server() as url:
        prepare_database(url)
        engine, queue = sa.create_engine(url), JobQueue(url)

        def count(name: str) -> int:
            with engine.connect() as connection:
                return int(connection.execute(sa.text(query_of(name))).scalar_one())

        before = count("cpu"), count("gpu")
        queue.enqueue("01900000-0000-7000-8000-000000000001", "anna")
        assert (count("cpu"), count("gpu")) == (before[0] + 1, before[1])
        queue.close()
        engine.dispose()


@pytest.mark.slow
def test_each_worker_takes_what_it_is_for(house: Installation) -> None:
    """A machine without a GPU would separate for minutes what takes seconds beside it."""
    house.start_worker(kinds=("gpu",))
    job_id = house.submit("work=0.1")
    wait_until(lambda: house.workers[0].is_ready())
    assert not wait_briefly(lambda: house.manifest(job_id).state != "queued"), (
        "no other part begins"
    )
    house.start_worker(kinds=("cpu",))
    assert house.wait_for_end(job_id) == "completed"
    with sa.create_engine(house.url).connect() as connection:
        query = sa.text("select queue_name, executor_id from workflow_status")
        ran = {(queue, executor.rsplit("-", 2)[1]) for queue, executor in connection.execute(query)}
    gpu, cpu = (str(worker.process.pid) for worker in house.workers)
    assert {pid for queue, pid in ran if queue == "gpu"} == {gpu}
    assert {pid for queue, pid in ran if queue != "gpu"} == {cpu}


def wait_briefly(condition: Callable[[], bool]) -> bool:
    """Return whether something happens that must not, within a second."""
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False
