"""API and worker start together, and either may be first."""

import multiprocessing
import sqlite3
from pathlib import Path

from core.jobs.database import prepare_database
from core.jobs.progress import ProgressLog
from core.jobs.queue import JobQueue


def prepare_and_use(url: str, number: int) -> None:
    prepare_database(url)
    ProgressLog(url).append("job", {"kind": "state", "number": number})
    JobQueue(url).enqueue(f"job-{number}")


def test_four_processes_prepare_the_same_database_at_once(tmp_path: Path) -> None:
    """They must not make the same table twice, nor find the database locked."""
    path = tmp_path / "new folder" / "jobs.sqlite"
    url = f"sqlite:///{path}"
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=prepare_and_use, args=(url, n)) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert {event.payload["number"] for event in ProgressLog(url).since("job")} == {0, 1, 2, 3}
    assert len(JobQueue(url).job_states([f"job-{n}" for n in range(4)])) == 4
    with sqlite3.connect(path) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    connection.close()


def test_preparing_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    prepare_and_use(url, 1)
    prepare_database(url)

    assert len(ProgressLog(url).since("job")) == 1
