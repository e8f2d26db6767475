"""Keeps an owner's library in step with the jobs: adds ended jobs, removes deleted ones.

No notification is needed: differences are found by comparing the manifests with what the library
has recorded of jobs. So nothing is lost if a process dies between the end of a job and its entry,
and failures are retried.
"""

import logging
import time
from collections.abc import Callable

from filelock import Timeout

from core.artifacts.store import JobStore
from core.errors import DatabaseUnavailable
from core.library.intake.job_tracks import enter_job, forget_job
from core.library.library import Library

logger = logging.getLogger(__name__)

RETRY_S = 60.0


class JobSweep:
    """Compares and repairs; safe in several processes, of which one works at a time.

    A job is added once: a track that is removed from the library later stays removed.
    """

    def __init__(
        self, library: Library, store: JobStore, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._library = library
        self._store = store.owned_by(library.owner)
        self._clock = clock
        self._settled: dict[str, int] = {}  # when the manifest was written
        self._retry_at: dict[str, float] = {}

    def run(self) -> None:
        """Check all jobs once; do nothing if another process is checking.

        Raises `DatabaseUnavailable`. A job that cannot be added is
        logged and retried by a later run.
        """
        try:
            with self._store.locks.held("library-sweep", timeout_s=0):
                self._run()
        except Timeout:
            logger.debug("another process enters jobs into the library")

    def _run(self) -> None:
        existing = self._store.listed()
        self._settled = {j: self._settled[j] for j in existing if j in self._settled}
        for job_id in self._library.noted_jobs() - set(existing):
            if self._store.exists(job_id):  # its manifest cannot be read
                continue
            self._try(job_id, lambda job_id: forget_job(self._library, self._store, job_id))
        for job_id in reversed(existing):
            if self._settled.get(job_id, 0) != existing[job_id]:
                self._try(job_id, self._settle)

    def _settle(self, job_id: str) -> None:
        # The note first: it is small, and nearly all that a long history has to read.
        written_at = self._store.written_at(job_id)
        entry = self._library.noted_job(job_id)
        if entry is None or not entry.is_complete:
            manifest = self._store.load_if_readable(job_id)
            if manifest is None or not manifest.state.is_final:
                return
            for refusal in enter_job(self._library, self._store, job_id).refused:
                logger.warning("'%s' is not in the library: %s", refusal.path, refusal.error)
        if written_at is not None:
            self._settled[job_id] = written_at

    def _try(self, job_id: str, task: Callable[[str], None]) -> None:
        if self._clock() < self._retry_at.get(job_id, float("-inf")):
            return
        try:
            task(job_id)
        except DatabaseUnavailable:
            raise  # it would be the same for every other job
        except Exception:
            # Whatever is wrong with the catalogue must not affect this or other jobs.
            logger.exception("the library could not follow job %s: tried again later", job_id)
            self._retry_at[job_id] = self._clock() + RETRY_S
        else:
            self._retry_at.pop(job_id, None)
