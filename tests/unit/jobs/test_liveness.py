"""Locks on files: held means alive."""

import os
import time
from pathlib import Path

import pytest
from filelock import FileLock

from core.jobs.liveness import FileLiveness, live_workers, new_executor_id
from core.system.database import sqlite_path


def test_a_worker_lives_as_long_as_it_holds_its_lock(tmp_path: Path) -> None:
    mine, yours = FileLiveness(tmp_path), FileLiveness(tmp_path)
    mine.hold("a")

    assert mine.is_held()
    assert not yours.is_dead("a")
    assert yours.is_dead("b")
    assert yours.count() == 1

    mine.release()
    assert yours.is_dead("a")
    assert yours.count() == 0
    assert not mine.is_held()


def test_a_lock_whose_file_was_replaced_is_lost(tmp_path: Path) -> None:
    """Somebody cleared the folder: others see no lock, or take one with the same name."""
    liveness = FileLiveness(tmp_path)
    liveness.hold("a")
    (tmp_path / "a.lock").unlink()
    assert not liveness.is_held()

    with FileLock(tmp_path / "a.lock", timeout=1):
        assert not liveness.is_held()


def test_files_of_dead_workers_go_after_a_while(tmp_path: Path) -> None:
    """Young ones stay: a worker that starts has its file before it has its lock."""
    young, old = tmp_path / "young.lock", tmp_path / "old.lock"
    for path in (young, old):
        path.touch()
    an_hour_ago = time.time() - 3600
    os.utime(old, (an_hour_ago, an_hour_ago))

    assert FileLiveness(tmp_path).count() == 0
    assert young.exists()
    assert not old.exists()


def test_two_starts_never_have_the_same_id() -> None:
    assert len({new_executor_id() for _ in range(100)}) == 100


def test_nothing_has_run_yet(tmp_path: Path) -> None:
    assert live_workers(f"sqlite:///{tmp_path / 'jobs.sqlite'}") == 0


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="names no file"):
        sqlite_path("sqlite://")
