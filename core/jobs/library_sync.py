"""The library kept in step with the jobs, beside their work; see `core.library.intake.job_sweep`.

In a worker the end of a job wakes a thread; between two of them it looks for what others left.
"""

import logging
import threading

from core.artifacts.store import JobStore
from core.errors import StemcrateError
from core.library.intake.job_sweep import JobSweep
from core.library.library import Library

logger = logging.getLogger(__name__)


class LibrarySync:
    """Enters jobs that ended into the library, and takes those that were deleted out of it.

    The catalogue is opened by the first look, and again after it did not answer: it keeps no worker
    from its jobs.
    """

    def __init__(self, store: JobStore, database_url: str) -> None:
        self._store = store
        self._url = database_url
        self._sweep: JobSweep | None = None
        self._awake = threading.Event()

    def wake(self) -> None:
        """Let `run` look as soon as possible: a job ended."""
        self._awake.set()

    def run(self, interval_s: float, stopping: threading.Event) -> None:
        """Look every ``interval_s`` seconds, and when woken, until the worker stops."""
        while not stopping.is_set():
            self._awake.clear()
            self.look()
            self._awake.wait(interval_s)

    def look(self) -> None:
        """Look once. Never raises: what fails is logged, and left to the next look."""
        try:
            if self._sweep is None:
                library = Library(self._store.data_dir, self._url)
                self._sweep = JobSweep(library, self._store)
            self._sweep.run()
        except (StemcrateError, OSError) as error:
            logger.warning("the library does not answer: jobs are entered later: %s", error)
        except Exception:
            logger.exception("the library could not follow the jobs")
