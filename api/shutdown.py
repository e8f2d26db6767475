"""Ends event streams when the server stops.

A stopping server waits for every response to end, and an event stream ends only with its job:
without this, Ctrl-C would wait for as long as a browser watches a running job.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def noticing_stop(stopping: threading.Event) -> Iterator[None]:
    """Set ``stopping`` on a stop signal during the block, then call the server's handler.

    Only the main thread may handle signals; elsewhere (in tests) nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}

    def notice(number: int, frame: FrameType | None) -> None:
        stopping.set()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in STOP_SIGNALS:
        signal.signal(number, notice)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
