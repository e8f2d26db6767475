"""Keeps the libraries in step with the jobs; see `core.library.intake.job_sweep`.

In a worker, the end of a job wakes a thread, which also polls for jobs of other processes.
"""

import logging
import threading

from core.artifacts.store import JobStore
from core.errors import StemcrateError
from core.library.intake.job_sweep import JobSweep
from core.library.libraries import Libraries

logger = logging.getLogger(__name__)


class LibrarySync:
    """Adds ended jobs to the libraries of their owners and removes deleted ones.

    The catalogue is opened on first use and reopened after an outage, which never keeps a worker
    from its jobs.
    """

    def __init__(self, store: JobStore, database_url: str) -> None:
        self._store = store
        self._libraries = Libraries(store.storage, database_url)
        self._sweeps: dict[str, JobSweep] = {}
        self._awake = threading.Event()

    def wake(self) -> None:
        """Wake `run`: a job ended."""
        self._awake.set()

    def run(self, interval_s: float, stopping: threading.Event) -> None:
        """Synchronize every ``interval_s`` seconds, and when woken, until the worker stops."""
        while not stopping.is_set():
            self._awake.clear()
            self.look()
            self._awake.wait(interval_s)

    def look(self) -> None:
        """Synchronize once. Never raises: failures are logged and retried next time."""
        for owner in self._libraries.owners():
            self._look_at(owner)

    def _look_at(self, owner: str) -> None:
        try:
            if owner not in self._sweeps:
                library = self._libraries.of(owner)
                self._sweeps[owner] = JobSweep(library, self._store)
            self._sweeps[owner].run()
        except (StemcrateError, OSError) as error:
            logger.warning(
                "the library of %s is unavailable, jobs are added later: %s", owner, error
            )
        except Exception:
            logger.exception("synchronization of the library of %s failed", owner)
