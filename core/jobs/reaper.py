"""The reaper of every worker: recovers work that nobody does and deletes expired data.

The engine itself does not notice that a worker died. Every few seconds, each worker checks the
executors of unfinished workflows; those whose lock is free are dead, and their workflows return to
their queues. So do its own workflows that none of its threads runs: the engine drops a workflow
whose result it cannot write, on a full disk for example. Several workers may do so at once:
recovery is atomic, and everything else here is idempotent.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import ParamSpec

from dbos import WorkflowStatus  # noqa: TID251
from filelock import Timeout
from pydantic import ValidationError

from core.artifacts.incoming import open_incoming
from core.errors import DatabaseUnavailable, JobNotFound, StemcrateError, WorkerLost
from core.jobs.liveness import Liveness
from core.jobs.progress import ProgressLog
from core.jobs.queue import (
    ACTIVE,
    JOB_WORKFLOWS,
    PIPELINE_VERSION,
    JobQueue,
    job_of,
)
from core.jobs.recovery import Recovery
from core.jobs.workflows import tell_state
from core.pipeline.outcome import failure_of
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.retrying import tidy
from stemcrate.schemas.manifest import ProcessingManifest

logger = logging.getLogger(__name__)

CLEANING_INTERVAL_S = 600.0
MISSING_AFTER_S = 60.0
WORK_STAYS_S = 30.0
PARTIAL_UPLOAD_STAYS_S = 1_800.0
DROPPED_AFTER_S = 10.0
"""A workflow that no thread runs for this long was dropped; a new one gets its thread sooner."""
DAY_S = 86_400.0

P = ParamSpec("P")


class Reaper:
    """Takes care of jobs without a worker.

    Parameters
    ----------
    executor_id : the id of this worker.
    liveness : the locks of the workers.
    fence : called when this worker has lost its own lock or its work: it must stop at once, because
        another one may already run its work.
    retention_days : jobs are deleted this many days after they ended; 0 keeps them.
    recovery : returns workflows to their queues.
    """

    def __init__(
        self,
        pipeline: AudioPipeline,
        queue: JobQueue,
        log: ProgressLog,
        *,
        executor_id: str,
        liveness: Liveness,
        fence: Callable[[], None],
        retention_days: float = 0.0,
        recovery: Recovery,
    ) -> None:
        self._pipeline = pipeline
        self._store = pipeline.store
        self._queue = queue
        self._log = log
        self._executor_id = executor_id
        self._liveness = liveness
        self._fence = fence
        self._retention_days = retention_days
        self._recovery = recovery
        self._idle_since: dict[str, float] = {}
        self._ended: dict[str, int] = {}  # when the manifest was written
        self._cleaned_at = float("-inf")
        self._is_sure = True
        self._ran: set[str] = set()

    def run(self, interval_s: float, stopping: threading.Event) -> None:
        """Run a round every ``interval_s`` seconds until the worker stops."""
        while not stopping.is_set():
            self._guarded(self.tick)
            stopping.wait(interval_s)

    def tick(self) -> None:
        """Look once."""
        self._check_lock()
        self._guarded(self.recover_dead)
        self._guarded(self._recovery.adopt)
        self._guarded(self.take_back_dropped)
        self._guarded(self.close_lost)
        if time.monotonic() - self._cleaned_at >= CLEANING_INTERVAL_S:
            self._cleaned_at = time.monotonic()
            self._guarded(self.delete_expired)
            self._guarded(self.forget_deleted)
            self._guarded(self.remove_abandoned)

    def _check_lock(self) -> None:
        """Fence this worker if it lost its lock, unless nobody took its work meanwhile.

        Others take work only while they hold the lock of the worker that had it, so whoever holds
        its own lock again knows after one look. What ran at the last look counts as well: its
        threads may find out sooner that it was taken, and end.
        """
        running = self._recovery.running()
        if not self._liveness.is_held():
            self._is_sure = False
            if not self._liveness.renew():
                self._fence()
        if not self._is_sure:
            if lost := self._recovery.lost(running | self._ran, self._executor_id):
                logger.critical("another worker took %s", ", ".join(sorted(lost)))
                self._fence()
            self._is_sure = True
        self._ran = running

    def recover_dead(self) -> None:
        """Return the work of dead workers to the queues."""
        pending = self._queue.pending()
        executors = {row.executor_id for row in pending if row.executor_id} - {self._executor_id}
        dead = {executor_id for executor_id in executors if self._recover_if_dead(executor_id)}
        self._restart_outdated(pending, dead)

    def _recover_if_dead(self, executor_id: str) -> bool:
        with self._liveness.if_dead(executor_id) as is_dead:
            if is_dead:
                logger.warning("%s is dead, its work returns to the queue", executor_id)
                self._recovery.recover(executor_id)
            return is_dead

    def take_back_dropped(self) -> None:
        """Return own workflows that no thread has run for a while to their queues."""
        # A round that fails starts the time anew: the engine may have had to wait as well.
        idle_since, self._idle_since = self._idle_since, {}
        running = self._recovery.running()
        own = [row for row in self._queue.pending() if row.executor_id == self._executor_id]
        now_s = time.monotonic()
        idle = {
            row.workflow_id: idle_since.get(row.workflow_id, now_s)
            for row in own
            if row.workflow_id not in running
        }
        for workflow_id, since_s in idle.items():
            if now_s - since_s >= DROPPED_AFTER_S:
                logger.warning("no thread runs %s, it returns to its queue", workflow_id)
                self._recovery.take_back(workflow_id, self._executor_id)
        self._idle_since = idle

    def _restart_outdated(self, pending: Sequence[WorkflowStatus], dead: Collection[str]) -> None:
        """Restart jobs that a worker of another version left: nobody can replay them."""
        alive = {job_of(row) for row in pending if row.executor_id not in dead}
        outdated = {
            job_of(row)
            for row in pending
            if row.app_version != PIPELINE_VERSION and row.name in JOB_WORKFLOWS
        }
        for job_id in outdated - alive:
            self._guarded(self._restart, job_id)

    def _restart(self, job_id: str) -> None:
        with suppress(Timeout), self._store.hold(job_id):
            logger.warning("%s was started by another version and restarts", job_id)
            manifest = self._store.load(job_id)
            self._queue.restart(job_id, manifest.owner, manifest.n_retries)

    def close_lost(self) -> None:
        """Close the manifests of jobs that the engine gave up or does not know."""
        manifests = self._open_manifests()
        open_jobs = {m.job_id: m.n_retries for m in manifests}
        old = {m.job_id for m in manifests if _age_s(m) > MISSING_AFTER_S}
        states = self._queue.job_states(open_jobs)
        # A job that is tried again is held until it is queued: look once more when it is not held.
        unknown = [job_id for job_id in old - states.keys() if not self._store.is_held(job_id)]
        lost = {job_id: open_jobs[job_id] for job_id in unknown}
        if lost:
            states |= self._queue.job_states(lost)
        for job_id in open_jobs:
            if (workflow := states.get(job_id)) is not None:
                self._guarded(self._close_if_ended, job_id, workflow)
            elif job_id in lost:
                self._guarded(self._fail, job_id, WorkerLost("The queue no longer knows this job."))

    def delete_expired(self) -> None:
        """Delete expired jobs."""
        if not self._retention_days:
            return
        for job_id in self._store.expired(older_than_s=self._retention_days * DAY_S):
            logger.info("deleted %s, %g days after its end", job_id, self._retention_days)
            self._guarded(self._store.delete, job_id)

    def forget_deleted(self) -> None:
        """Remove the rows of deleted jobs from engine and log."""
        for job_id in self._queue.known_jobs() - set(self._store.job_ids()):
            self._guarded(self._forget, job_id)

    def _forget(self, job_id: str) -> None:
        if self._queue.forget(job_id):
            self._log.forget(job_id)

    def remove_abandoned(self) -> None:
        """Remove what killed processes left: parts of uploads soon, the rest after a day."""
        self._store.remove_partial_uploads(older_than_s=PARTIAL_UPLOAD_STAYS_S)
        self._store.remove_abandoned(older_than_s=DAY_S)
        open_incoming(self._store.storage).remove_expired()

    def _open_manifests(self) -> list[ProcessingManifest]:
        found = []
        watched = self._store.watched()
        self._ended = {job_id: self._ended[job_id] for job_id in watched if job_id in self._ended}
        for job_id, written_at in watched.items():
            if self._ended.get(job_id) == written_at is not None:
                continue
            try:
                manifest = self._store.load(job_id)
            except JobNotFound:
                self._remove_remains(job_id)
                continue
            except ValidationError:
                logger.exception("skipped %s: its manifest cannot be read", job_id)
                is_ended = True
            else:
                is_ended = manifest.state.is_final and self._is_tidy(manifest)
                if not manifest.state.is_final:
                    found.append(manifest)
            if is_ended and written_at is not None:
                self._ended[job_id] = written_at
        return found

    def _is_tidy(self, manifest: ProcessingManifest) -> bool:
        """Remove the work files of a job that ended without a worker."""
        if not self._store.work_folder(manifest.job_id).exists():
            return True
        ended_at = manifest.finished_at
        if ended_at is None or time.time() - ended_at.timestamp() <= WORK_STAYS_S:
            return False
        with suppress(JobNotFound):
            tidy(self._store, manifest.job_id)
        return True

    def _remove_remains(self, job_id: str) -> None:
        """Remove the folder of a deleted job that a stage still wrote to."""
        folder = self._store.job_folder(job_id)
        try:
            age_s = time.time() - folder.stat().st_mtime
        except FileNotFoundError:
            return
        if age_s > CLEANING_INTERVAL_S:
            shutil.rmtree(folder, ignore_errors=True)

    def _close_if_ended(self, job_id: str, workflow: WorkflowStatus) -> None:
        if workflow.status in ACTIVE:
            return
        manifest = self._store.load(job_id)
        if manifest.state.is_final:
            return
        if workflow.status == "CANCELLED":
            tell_state(self._log, manifest, self._pipeline.cancel(job_id))
            tidy(self._store, job_id)
            return
        self._queue.cancel(job_id, manifest.n_retries)  # tracks that still run
        if isinstance(workflow.error, StemcrateError):
            self._fail(job_id, workflow.error)
        else:
            # The job's audio is not at fault: it can be tried again.
            what = failure_of(workflow.error).message if workflow.error else workflow.status
            self._fail(
                job_id,
                WorkerLost(
                    f"The queue ended this job before its work was done: {what}.",
                    hint="Try again; report it with the worker's log if that does not help.",
                ),
            )

    def _fail(self, job_id: str, error: Exception) -> None:
        logger.warning("closed %s as failed: %s", job_id, error)
        state = self._pipeline.close(job_id, failure_of(error))
        tell_state(self._log, self._store.load(job_id), state)

    def _guarded(self, task: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        # A failure must end neither the reaper nor the round of the other jobs.
        try:
            task(*args, **kwargs)
        except JobNotFound as error:  # it was deleted meanwhile
            logger.info("%s", error.message)
        except DatabaseUnavailable as error:
            logger.warning("the reaper failed at %s%r: %s", task.__name__, args, error)
        except Exception:
            logger.exception("the reaper failed at %s%r", task.__name__, args)


def _age_s(manifest: ProcessingManifest) -> float:
    return time.time() - manifest.created_at.timestamp()
