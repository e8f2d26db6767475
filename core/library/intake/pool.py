"""Files analysed side by side, in processes that may crash without taking the import with them."""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for_sentinel
from typing import Generic, TypeVar

from core.errors import StageFailed, StemcrateError, WorkerLost

logger = logging.getLogger(__name__)
T = TypeVar("T")
R = TypeVar("R")

_spawn = multiprocessing.get_context("spawn")


class TaskPool(Generic[T, R]):
    """Runs one function over many tasks.

    Parameters
    ----------
    function : of a module, so that a process can find it; may raise `StemcrateError`.
    n_processes : how many run side by side, 1 or more.
    """

    def __init__(self, function: Callable[[T], R], n_processes: int) -> None:
        self._function = function
        self._n_processes = n_processes

    def run(self, tasks: Iterable[T]) -> Iterator[tuple[T, R | StemcrateError]]:
        """Yield each task with its result or its error, in the order in which they end.

        Tasks are taken from the iterator as processes become free. A task whose process dies gives
        `WorkerLost`; others that ran at that moment are run again, each alone.
        """
        source = iter(tasks)
        running: dict[Future[R], T] = {}
        executor = self._start(self._n_processes)
        try:
            while True:
                for task in source:
                    running[executor.submit(self._function, task)] = task
                    # One more a process than run: none waits for the next task to be found.
                    if len(running) >= 2 * self._n_processes:
                        break
                if not running:
                    return
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                suspects: list[T] = []
                for future in ended:
                    task = running.pop(future)
                    if isinstance(future.exception(), BrokenProcessPool):
                        suspects.append(task)
                    else:
                        yield task, self._outcome(future)
                if suspects:
                    suspects += running.values()
                    running.clear()
                    executor.shutdown()
                    yield from map(self._run_alone, suspects)
                    executor = self._start(self._n_processes)
        finally:
            executor.shutdown(cancel_futures=True)

    def _run_alone(self, task: T) -> tuple[T, R | StemcrateError]:
        with self._start(1) as executor:
            future = executor.submit(self._function, task)
            wait([future])
        if isinstance(future.exception(), BrokenProcessPool):
            lost = WorkerLost(
                "The process that read this file died.", hint="The file may be broken."
            )
            return task, lost
        return task, self._outcome(future)

    @staticmethod
    def _outcome(future: "Future[R]") -> "R | StemcrateError":
        """Give a result or an error; a defect that one file brings to light stops no other."""
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, StemcrateError):
            return error
        logger.error("a file could not be analysed", exc_info=error)
        return StageFailed(
            f"{type(error).__name__}: {error}",
            hint="This is a defect: please report it with the file.",
        )

    def _start(self, n_processes: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(n_processes, mp_context=_spawn, initializer=_live_with_parent)


def _live_with_parent() -> None:
    """Leave Ctrl-C to the parent, and end when it dies, however that happens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        wait_for_sentinel([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
