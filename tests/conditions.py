"""Waiting for something to become true, instead of sleeping and hoping.

Long: on a machine that is busy with others a process may take half a minute to start, and a test
that waits for what comes anyway loses nothing by waiting.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 120.0


def wait_until(condition: Callable[[], T], *, seen: Callable[[], object] = str) -> T:
    """Give what ``condition`` returns as soon as it is true; else fail with what was ``seen``."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {PATIENCE_S:g} s. {seen()}")
        time.sleep(0.05)
    return value
