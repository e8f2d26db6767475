"""Prefetching on a thread.

Reading the next segment overlaps with the network, and the network with writing its stems.
"""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")


class _End:
    """End of the queue, with the error that ended the work, if any."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def run_ahead(items: Iterable[T], depth: int = 1) -> Generator[T, None, None]:
    """Yield the items, computed on a thread up to ``depth`` items ahead.

    An error in ``items`` is raised here, after the items before it. Closing the generator stops
    the thread after the current item and joins it.
    """
    waiting: queue.Queue[T | _End] = queue.Queue(maxsize=depth)
    stopping = threading.Event()

    def offer(item: "T | _End") -> None:
        while not stopping.is_set():
            try:
                waiting.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                offer(item)
                if stopping.is_set():
                    return
        except BaseException as raised:  # noqa: BLE001 - raised again where the items are used
            error = raised
        offer(_End(error))

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while True:
            item = waiting.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stopping.set()
        thread.join()
