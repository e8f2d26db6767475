"""One function over many tasks side by side, in processes that may crash without loss to others."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from queue import Queue
from typing import Generic, TypeVar

from core.errors import StemcrateError, WorkerLost
from core.system.isolation import IsolatedProcess, ProcessDied, ProcessLimits

T = TypeVar("T")
R = TypeVar("R")


class TaskPool(Generic[T, R]):
    """Runs one function over many tasks.

    Parameters
    ----------
    function : of a module, so that a process can find it; may raise `StemcrateError`.
    n_processes : how many run side by side, 1 or more.
    limits : what one task may take.
    """

    def __init__(
        self,
        function: Callable[[T], R],
        n_processes: int,
        limits: ProcessLimits = ProcessLimits(),  # noqa: B008  frozen
    ) -> None:
        self._function = function
        self._n_processes = n_processes
        self._limits = limits

    def run(self, tasks: Iterable[T]) -> Generator[tuple[T, R | StemcrateError], None, None]:
        """Yield each task with its result or its error, in the order in which they end.

        Tasks are taken from the iterator as processes become free. A task whose process dies gives
        `WorkerLost`, and no other task notices. Closing the iterator ends what runs.
        """
        source = iter(tasks)
        running: dict[Future[R | StemcrateError], T] = {}
        processes = [IsolatedProcess(self._limits) for _ in range(self._n_processes)]
        free: Queue[IsolatedProcess] = Queue()
        for process in processes:
            free.put(process)
        with ThreadPoolExecutor(self._n_processes) as threads:
            try:
                while True:
                    for task in source:
                        running[threads.submit(self._carry_out, free, task)] = task
                        # One more a process than run: none waits for the next task to be found.
                        if len(running) >= 2 * self._n_processes:
                            break
                    if not running:
                        return
                    ended, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in ended:
                        yield running.pop(future), future.result()
            finally:
                for future in running:
                    future.cancel()
                for process in processes:
                    process.close()

    def _carry_out(self, free: Queue[IsolatedProcess], task: T) -> R | StemcrateError:
        process = free.get()
        try:
            return process.call(self._function, task)
        except StemcrateError as error:
            return error
        except ProcessDied as error:
            return WorkerLost(
                f"The process that read this file died: {error}.", hint="The file may be broken."
            )
        finally:
            free.put(process)
