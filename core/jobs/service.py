"""What can be done with jobs from outside the worker: submit, follow, cancel, delete."""

import logging
from collections.abc import Sequence

from core.artifacts.store import JobStore
from core.artifacts.uploads import Upload
from core.errors import DatabaseUnavailable
from core.jobs.progress import JobProgress, LoggedEvent, ProgressLog, job_progress
from core.jobs.queue import JobQueue
from core.library.intake.job_tracks import forget_job
from core.library.library import Library
from core.pipeline.pipeline import AudioPipeline
from stemcrate.schemas.manifest import JobState, ProcessingManifest, StageState
from stemcrate.schemas.options import ProcessingOptions

logger = logging.getLogger(__name__)


class JobService:
    """Jobs, for the API: the manifest is the record, the queue makes things happen."""

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        progress: ProgressLog,
        pipeline: AudioPipeline,
        library: Library,
    ) -> None:
        self._store = store
        self._queue = queue
        self._log = progress
        self._pipeline = pipeline
        self._library = library
        self._costs = {stage.name: stage.cost for stage in pipeline.stages}

    def submit(
        self, uploads: Sequence[Upload], options: ProcessingOptions, job_id: str
    ) -> ProcessingManifest:
        """Make a job of these uploads and queue it. A job that cannot be queued leaves nothing."""
        manifest = self._pipeline.create_job(uploads, options, job_id=job_id)
        try:
            self._log.append(job_id, {"kind": "state", "state": JobState.QUEUED})
            self._queue.enqueue(job_id)
        except Exception:
            self._store.delete(job_id)
            raise
        return manifest

    def progress(self, manifest: ProcessingManifest) -> JobProgress:
        """Tell where the job of this manifest stands."""
        events: Sequence[LoggedEvent] = ()
        if manifest.state == JobState.RUNNING:
            events = self._log.latest(manifest.job_id)
        return job_progress(manifest, events, self._costs)

    def cancel(self, job_id: str) -> JobState:
        """Cancel a job; one that has ended stays as it is. Raises `JobNotFound`.

        The manifest says so at once. A stage that runs stops within seconds; its worker then
        removes the job's work files.
        """
        before = self._store.load(job_id)
        if before.state.is_final:
            return before.state
        state = self._pipeline.cancel(job_id)
        if state != JobState.CANCELLED:
            return state
        try:
            self._queue.cancel(job_id)
            self._log.append(job_id, {"kind": "state", "state": state})
        except DatabaseUnavailable as error:
            # The worker reads the manifest, too: without the engine it only takes a little longer.
            logger.warning("the queue was not told that %s is cancelled: %s", job_id, error)
        if not _has_running_stage(before):
            self._store.remove_work(job_id)
        return state

    def delete(self, job_id: str) -> None:
        """Remove a job and all that belongs to it; cancel it first if it runs.

        Tracks that came by it alone leave the library. Raises `JobNotFound`. What a running stage
        still writes is removed by its worker.
        """
        self.cancel(job_id)
        self._store.delete(job_id)
        try:
            self._queue.forget(job_id)
            self._log.forget(job_id)
            forget_job(self._library, self._store, job_id)
        except DatabaseUnavailable as error:
            logger.warning("rows of %s are left for the worker: %s", job_id, error)


def _has_running_stage(manifest: ProcessingManifest) -> bool:
    return any(record.state == StageState.RUNNING for record in manifest.all_stages())


__all__ = ["JobProgress", "JobService"]
