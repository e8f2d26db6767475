"""API and worker start together, and either may be first."""

import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from bench.databases import new_database
from core.jobs.database import prepare_database
from core.jobs.progress import ProgressLog
from core.jobs.queue import JobQueue
from core.system.database import engine_for
from tests.conditions import PATIENCE_S
from tests.postgres import BOTH_DATABASES


def prepare_and_use(url: str, number: int) -> None:
    prepare_database(url)
    ProgressLog(url).append("job", {"kind": "progress", "number": number})
    JobQueue(url).enqueue(f"job-{number}", "local")


@pytest.mark.parametrize("kind", BOTH_DATABASES)
def test_four_processes_prepare_the_same_database_at_once(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    """They must not make the same table twice, nor find the database locked."""
    path = tmp_path / "new folder" / "jobs.sqlite"
    if kind == "sqlite":
        prepare_at_once(f"sqlite:///{path}")
        with sqlite3.connect(path) as connection:
            assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
        connection.close()
        return
    with new_database(request.getfixturevalue("server")) as url:
        prepare_at_once(url)
        engine_for(url).dispose()


def prepare_at_once(url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=prepare_and_use, args=(url, n)) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE_S)

    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert {event.payload["number"] for event in ProgressLog(url).since("job")} == {0, 1, 2, 3}
    queue = JobQueue(url)
    assert len(queue.job_states({f"job-{n}": 0 for n in range(4)})) == 4
    queue.close()


def test_preparing_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    prepare_and_use(url, 1)
    prepare_database(url)

    assert len(ProgressLog(url).since("job")) == 1
