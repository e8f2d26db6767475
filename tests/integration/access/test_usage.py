"""Counts of what owners used, on both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.access.usage import UsageCounts
from core.errors import QuotaExceeded
from stemcrate.schemas.quotas import Policy

TEN = Policy(name="requests", quota=10, window_s=60)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000_000_005.0  # 25 s after the start of a minute

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counts(database_url: str, clock: Clock) -> UsageCounts:
    return UsageCounts(database_url, clock=clock)


def test_a_quota_is_used_up_and_comes_back(counts: UsageCounts, clock: Clock) -> None:
    """What does not fit must not be counted, and a new window must start at nothing."""
    left = counts.take("anna", TEN, 7)
    assert (left.available, left.reset_s) == (3, 15)

    with pytest.raises(QuotaExceeded) as refused:
        counts.take("anna", TEN, 4)
    assert refused.value.left is not None
    assert (refused.value.left.available, refused.value.retry_after_s) == (3, 15)
    assert counts.take("anna", TEN, 3).available == 0

    clock.now_s += 15
    assert counts.look("anna", TEN).available == 10
    assert counts.take("anna", TEN, 1).available == 9


def test_more_than_the_whole_quota_is_never_let_in(counts: UsageCounts) -> None:
    """The first row of an owner passes no condition of an update."""
    with pytest.raises(QuotaExceeded):
        counts.take("anna", TEN, 11)
    assert counts.look("anna", TEN).available == 10


def test_owners_and_quotas_are_counted_apart(counts: UsageCounts) -> None:
    counts.take("anna", TEN, 10)
    assert counts.take("berta", TEN, 1).available == 9
    assert counts.take("anna", TEN.model_copy(update={"name": "jobs"}), 1).available == 9


def test_a_process_whose_clock_is_behind_counts_in_the_later_window(
    counts: UsageCounts, database_url: str, clock: Clock
) -> None:
    """It must not throw away what the process with the right clock has counted."""
    behind = Clock()
    clock.now_s += 60
    counts.take("anna", TEN, 8)
    with pytest.raises(QuotaExceeded):
        UsageCounts(database_url, clock=behind).take("anna", TEN, 3)


def test_those_who_come_at_once_get_no_more_than_the_quota(database_url: str) -> None:
    """Reading, comparing and writing one after the other would let more in."""
    barrier = threading.Barrier(8)

    def ask(_: int) -> int:
        counts = UsageCounts(database_url, clock=Clock())
        barrier.wait()
        n_taken = 0
        for _ in range(5):
            try:
                counts.take("anna", TEN, 1)
            except QuotaExceeded:
                continue
            n_taken += 1
        return n_taken

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, range(8))) == 10
