"""Stops a process of its own when what it works on is not wanted any more."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.system.isolation import IsolatedProcess

WATCH_S = 0.5


@contextmanager
def killed_unless(is_wanted: Callable[[], bool], process: IsolatedProcess) -> Iterator[None]:
    """Kill the process as soon as ``is_wanted`` returns False; look until the block ends."""
    is_done = threading.Event()

    def watch() -> None:
        while not is_done.wait(WATCH_S):
            if not is_wanted():
                process.close()
                return

    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_done.set()
        thread.join()
