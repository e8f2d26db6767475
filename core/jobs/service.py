"""Operations on jobs for the API: submit, follow, cancel, retry, delete."""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress

from filelock import Timeout

from core.artifacts.store import JobStore
from core.artifacts.uploads import Upload
from core.errors import DatabaseUnavailable, JobNotRetryable, StorageFull
from core.jobs.progress import JobProgress, LoggedEvent, ProgressLog, job_progress
from core.jobs.queue import JobQueue
from core.jobs.quotas import OwnerQuotas
from core.library.intake.job_tracks import add_again, forget_job
from core.library.library import Library
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.retrying import can_retry, retry_job, tidy
from stemcrate.schemas.manifest import JobState, ProcessingManifest, StageState
from stemcrate.schemas.options import ProcessingOptions

logger = logging.getLogger(__name__)

HOLD_S = 2.0
"""Others look for a moment whether a job is held."""


class JobService:
    """Jobs for the API: the manifest is the record, the queue triggers execution."""

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        progress: ProgressLog,
        pipeline: AudioPipeline,
        library: Library,
        quotas: OwnerQuotas | None = None,
    ) -> None:
        self._store = store
        self._queue = queue
        self._log = progress
        self._pipeline = pipeline
        self._library = library
        self._quotas = quotas
        self._costs = {stage.name: stage.cost for stage in pipeline.stages}

    def submit(
        self,
        uploads: Sequence[Upload],
        options: ProcessingOptions,
        job_id: str,
        *,
        webhook_id: str | None = None,
    ) -> ProcessingManifest:
        """Create a job for uploads and queue it. If it cannot be queued, nothing is left.

        A job of this id that is there already is queued, unless it is, and returned. ``webhook_id``
        names a webhook that is told its end. Raises `QuotaExceeded`, `DatabaseUnavailable`.
        """
        if self._store.exists(job_id):
            there = self._store.load(job_id)
            self._queue.enqueue(job_id, there.owner)
            return there
        with self._place():
            manifest = self._pipeline.create_job(uploads, options, job_id=job_id)
            try:
                self._log.tell(manifest, JobState.QUEUED, webhook_id)
                self._queue.enqueue(job_id, manifest.owner)
            except Exception:
                self._store.delete(job_id)
                raise
        return manifest

    def _place(self) -> AbstractContextManager[None]:
        """Hold a place of the owner for a job that is queued now."""
        return nullcontext() if self._quotas is None else self._quotas.job_places()

    def progress(self, manifest: ProcessingManifest) -> JobProgress:
        """Return the progress of a manifest's job."""
        events: Sequence[LoggedEvent] = ()
        if manifest.state == JobState.RUNNING:
            events = self._log.latest(manifest.job_id)
        return job_progress(manifest, events, self._costs)

    def queue_place(self, manifest: ProcessingManifest) -> int | None:
        """Return a waiting job's place in the queue, 1 for the next; None if it does not wait."""
        if manifest.state != JobState.QUEUED:
            return None
        try:
            return self._queue.place_of(manifest.job_id)
        except DatabaseUnavailable:
            return None

    def cancel(self, job_id: str) -> JobState:
        """Cancel a job; an ended job is unchanged. Raises `JobNotFound`.

        The manifest changes at once. A running stage stops within seconds; its worker then
        removes the job's work files.
        """
        before = self._store.load(job_id)
        if before.state.is_final:
            return before.state
        state = self._pipeline.cancel(job_id)
        if state != JobState.CANCELLED:
            return state
        try:
            self._queue.cancel(job_id, before.n_retries)
            self._log.tell(before, state)
        except DatabaseUnavailable as error:
            # The worker also reads the manifest: without the engine, it only reacts a little later.
            logger.warning("the cancel of %s did not reach the queue: %s", job_id, error)
        if not _has_running_stage(before):
            tidy(self._store, job_id)
        return state

    def can_retry(self, manifest: ProcessingManifest) -> bool:
        """Return whether `retry` would leave anything to do."""
        return can_retry(manifest, self._store)

    def retry(self, job_id: str) -> JobState:
        """Queue an ended job again; what is done stays done.

        Raises `JobNotFound`, `JobNotRetryable`, `QuotaExceeded`, `StorageFull`,
        `DatabaseUnavailable`.
        """
        self._store.load(job_id)  # no other text becomes the name of a lock
        try:
            with self._place(), self._store.hold(job_id, timeout_s=HOLD_S):
                return self._retry(self._store.load(job_id))
        except Timeout as error:
            raise JobNotRetryable(
                f"Job '{job_id}' is running.", hint="Wait for its end, or cancel it."
            ) from error

    def _retry(self, before: ProcessingManifest) -> JobState:
        job_id = before.job_id
        manifest = retry_job(self._store, job_id)
        try:
            self._log.forget(job_id)  # who follows the job would stop at its earlier end
            self._log.tell(manifest, manifest.state)
            add_again(self._library, job_id)
            self._queue.enqueue(job_id, manifest.owner, manifest.n_retries)
        except Exception:
            self._store.replace(before)
            raise
        return manifest.state

    def delete(self, job_id: str) -> None:
        """Remove a job with its files; cancel it first if it runs.

        Tracks that only this job added leave the library. Raises `JobNotFound`. Files that a
        running stage still writes are removed by its worker.
        """
        with suppress(StorageFull):  # a job must not be what keeps the disk full
            self.cancel(job_id)
        self._store.delete(job_id)
        try:
            self._queue.forget(job_id)
            self._log.forget(job_id)
            forget_job(self._library, self._store, job_id)
        except DatabaseUnavailable as error:
            logger.warning("a worker will remove the rows of %s: %s", job_id, error)


def _has_running_stage(manifest: ProcessingManifest) -> bool:
    return any(record.state == StageState.RUNNING for record in manifest.all_stages())


__all__ = ["JobProgress", "JobService"]
