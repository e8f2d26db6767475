"""What KEDA asks the queue, on a real one."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from core.jobs.database import prepare_database
from core.jobs.queue import JobQueue
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
