"""A value that many ask for."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.system.recent import Recent


def test_a_fresh_value_is_not_read_again() -> None:
    at, reads = [0.0], []

    def read() -> int:
        reads.append(at[0])
        return len(reads)

    recent = Recent(read, 1.0, clock=lambda: at[0])
    assert [recent.get(), recent.get()] == [1, 1]
    at[0] = 1.5
    assert recent.get() == 2
    at[0] = 1.6
    assert recent.get() == 2
    assert recent.get_new() == 3


def test_one_thread_reads_for_all() -> None:
    n_reads, go = [], threading.Event()

    def read() -> int:
        go.wait(10)
        n_reads.append(1)
        return 7

    recent = Recent(read, 60.0)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(recent.get) for _ in range(8)]
        go.set()
        assert [each.result() for each in asked] == [7] * 8
    assert len(n_reads) == 1


def test_a_failure_is_not_kept() -> None:
    answers = [ValueError("away"), None]

    def read() -> str:
        if answers.pop(0):
            raise ValueError("away")
        return "back"

    recent = Recent(read, 60.0)
    with pytest.raises(ValueError, match="away"):
        recent.get()
    assert recent.get() == "back"
