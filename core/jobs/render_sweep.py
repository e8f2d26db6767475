"""Takes care of renders: those that nobody makes any more, and those that nobody needs."""

import logging
import time
from contextlib import suppress
from datetime import UTC, datetime

from core.artifacts.renders import RenderAttempt, RenderStore
from core.artifacts.store import JobStore
from core.errors import RenderNotFound, WorkerLost
from core.jobs.queue import ACTIVE, PIPELINE_VERSION, JobQueue
from core.jobs.rounds import Rounds
from core.library.libraries import Libraries
from core.pipeline.outcome import failure_of
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.renders import RenderRecord

logger = logging.getLogger(__name__)

DAY_S = 86_400.0
CLEANING_INTERVAL_S = 60.0
MISSING_AFTER_S = 60.0
"""A render whose workflow the engine does not know for so long is lost."""


class RenderSweep(Rounds):
    """Looks after the renders of one data folder; every worker may do so at once.

    Parameters
    ----------
    days : renders are removed when they were not used for so long.
    max_bytes : of all renders together; the least recently used are removed.
    """

    subject = "renders"

    def __init__(
        self,
        store: JobStore,
        libraries: Libraries,
        queue: JobQueue,
        *,
        days: float,
        max_bytes: int,
    ) -> None:
        self._jobs = store
        self._libraries = libraries
        self._store = RenderStore(store.storage)
        self._queue = queue
        self._days = days
        self._max_bytes = max_bytes
        self._cleaned_at = float("-inf")

    def round(self) -> None:
        """Close lost renders; at times, remove old ones."""
        self._close_lost()
        if time.monotonic() - self._cleaned_at >= CLEANING_INTERVAL_S:
            self._cleaned_at = time.monotonic()
            self._clean()

    def _close_lost(self) -> None:
        """Close renders that the engine gave up or does not know."""
        waiting = [record for record in self._store.all() if not record.state.is_final]
        states = self._queue.render_states({r.id: r.run for r in waiting}) if waiting else {}
        for record in waiting:
            found = states.get(record.id)
            if found is None:
                is_lost = _age_s(record) > MISSING_AFTER_S
            else:
                is_outdated = found.status == "PENDING" and found.app_version != PIPELINE_VERSION
                is_lost = is_outdated or found.status not in ACTIVE
            if is_lost:
                self._close(record)

    def _close(self, record: RenderRecord) -> None:
        logger.warning("closed the render %s, which no worker makes", record.id)
        lost = WorkerLost("No worker makes this render any more.", hint="Request it again.")
        attempt = RenderAttempt.of(record)
        with suppress(RenderNotFound), self._store.update(attempt) as current:
            current.state = JobState.FAILED
            current.error = failure_of(lost)
            current.finished_at = datetime.now(UTC)

    def _has_tracks(self, record: RenderRecord) -> bool:
        library = self._libraries.of(record.owner)
        return all(library.find_record(id) is not None for id in record.track_ids)

    def _clean(self) -> None:
        for record in self._store.all():
            if not all(map(self._jobs.exists, record.job_ids)) or not self._has_tracks(record):
                with suppress(RenderNotFound):
                    self._store.delete(record.id)
        self._store.evict(max_bytes=self._max_bytes, older_than_s=self._days * DAY_S)


def _age_s(record: RenderRecord) -> float:
    return time.time() - record.created_at.timestamp()
