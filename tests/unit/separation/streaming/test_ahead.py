import threading
from collections.abc import Iterator

import pytest

from core.separation.streaming.ahead import run_ahead
from tests.conditions import PATIENCE_S


def test_items_come_in_order() -> None:
    assert list(run_ahead(range(100), depth=3)) == list(range(100))


def test_work_goes_on_while_an_item_is_used() -> None:
    started = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        started.set()
        yield 2

    ahead = run_ahead(items())
    next(ahead)
    assert started.wait(PATIENCE_S)
    assert list(ahead) == [2]


def test_an_error_comes_after_the_items_before_it() -> None:
    """An error swallowed on the thread would pass for the end of the song."""

    def items() -> Iterator[int]:
        yield 1
        raise OSError("disk")

    ahead = run_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(OSError, match="disk"):
        next(ahead)


def test_closing_stops_the_work() -> None:
    """A cancelled job must not go on separating behind the scenes."""
    n_before = threading.active_count()
    given = []

    def items() -> Iterator[int]:
        for i in range(1_000_000):
            given.append(i)
            yield i

    ahead = run_ahead(items())
    next(ahead)
    ahead.close()
    assert len(given) < 10
    assert threading.active_count() <= n_before
