"""Runs stages in stage processes: slots, retries, cancel, and progress events."""

import logging
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from typing import Any

from core.errors import (
    DatabaseUnavailable,
    JobNotFound,
    StemcrateError,
    StorageFull,
    WorkerLost,
)
from core.jobs.child import StageProcess
from core.jobs.progress import ProgressLog
from core.jobs.timing import EtaEstimator
from core.pipeline.outcome import failure_of
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.stage import StageRef
from core.system.logs import work_in_log
from stemcrate.schemas.manifest import StageState

logger = logging.getLogger(__name__)

WATCH_S = 1.0
BACKOFF_S = 0.5
ROOM_POLL_S = 1.0


class StageRunner:
    """Runs stages in a worker's stage processes.

    Parameters
    ----------
    pipeline : the stages and their store.
    log : receives progress events.
    processes : the processes of each queue, ``gpu`` and ``cpu``.
    max_attempts : attempts at a stage whose process dies.
    backoff_s : pause before the second attempt; doubles with each further one.
    """

    def __init__(
        self,
        pipeline: AudioPipeline,
        log: ProgressLog,
        processes: Mapping[str, Sequence[StageProcess]],
        *,
        max_attempts: int,
        backoff_s: float = BACKOFF_S,
    ) -> None:
        self._pipeline = pipeline
        self._log = log
        self._processes = [process for group in processes.values() for process in group]
        self._free: dict[str, Queue[StageProcess]] = {name: Queue() for name in processes}
        for name, group in processes.items():
            for process in group:
                self._free[name].put(process)
        self._max_attempts = max_attempts
        self._backoff_s = backoff_s
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()

    def run(self, ref: StageRef) -> StageState:
        """Run a stage in a process of its queue, with retries.

        Returns its final state; ``cancelled`` if the job was cancelled or deleted.
        Does not return while the worker stops: another worker continues the stage.
        """
        over = _JobWatch(self._pipeline, ref.job_id)
        queue_name = self._pipeline.stage(ref.stage_name).queue
        with (
            work_in_log(ref.job_id, ref.stage_name, ref.track_index),
            self._count(ref.job_id),
            self._slot(queue_name, over) as process,
        ):
            if process is None or over.check():
                return StageState.CANCELLED
            self._tell(ref, {"kind": "stage", "state": StageState.RUNNING})
            state = self._attempt(process, ref, over)
            self._tell(ref, {"kind": "stage", "state": state})
            return state

    def stop(self) -> None:
        """Kill every stage process; their stages stay unfinished."""
        self._stopping.set()
        for process in self._processes:
            process.kill()

    def _attempt(self, process: StageProcess, ref: StageRef, over: "_JobWatch") -> StageState:
        for attempt in range(1, self._max_attempts + 1):
            report = self._reporter(ref)
            try:
                return process.run(ref, progress=report, cancelled=over)
            except JobNotFound:
                return StageState.CANCELLED
            except WorkerLost as error:
                self._park_if_stopping()
                logger.warning("attempt %d of %d: %s", attempt, self._max_attempts, error)
                lost = error
            except StemcrateError as error:
                return self._fail(ref, error, over)
            self._stopping.wait(self._backoff_s * 2 ** (attempt - 1))
            self._park_if_stopping()
            if over.check():
                return StageState.CANCELLED
        return self._fail(ref, lost, over)

    def _fail(self, ref: StageRef, error: StemcrateError, over: "_JobWatch") -> StageState:
        """Record a stage that could not record itself; wait while the disk is full.

        Raising instead would leave the stage to the engine, which has no room either and drops it.
        """
        while not over.check():
            self._park_if_stopping()
            try:
                return self._pipeline.fail_stage(ref, failure_of(error))
            except JobNotFound:
                break
            except StorageFull as full:
                logger.warning("waiting for room to record the stage: %s", full)
                self._stopping.wait(ROOM_POLL_S)
        return StageState.CANCELLED

    def _reporter(self, ref: StageRef) -> Callable[[float], None]:
        """Return the progress function for one attempt at a stage."""
        estimator = EtaEstimator()

        def report(fraction: float) -> None:
            told = {"fraction": round(fraction, 4), "eta_s": estimator.eta_s(fraction)}
            self._tell(ref, {"kind": "progress", **told})

        return report

    def _tell(self, ref: StageRef, event: Mapping[str, Any]) -> None:
        # The log is a convenience: an unavailable database must not fail a stage.
        try:
            self._log.append(
                ref.job_id, {"stage": ref.stage_name, "track_index": ref.track_index, **event}
            )
        except DatabaseUnavailable as error:
            logger.warning("cannot log an event: %s", error)

    @contextmanager
    def _slot(self, queue_name: str, over: Callable[[], bool]) -> Iterator[StageProcess | None]:
        """Yield a free process; None if the job is over before one is free."""
        free = self._free[queue_name]
        process: StageProcess | None = None
        while process is None and not over():
            self._park_if_stopping()
            try:
                process = free.get(timeout=WATCH_S)
            except Empty:
                continue
        try:
            yield process
        finally:
            if process is not None:
                free.put(process)

    @contextmanager
    def _count(self, job_id: str) -> Iterator[None]:
        """Count a job's running stages; the last one of a job that is over cleans up."""
        with self._lock:
            self._running[job_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[job_id] -= 1
                is_last = not self._running[job_id]
                if is_last:
                    del self._running[job_id]
            if is_last:
                clean_up(self._pipeline, job_id)

    def _park_if_stopping(self) -> None:
        # Returning or raising would tell the engine that the stage ended. It has not: the worker
        # ends with this thread in it, and the next worker finds the stage unfinished.
        if self._stopping.is_set():
            threading.Event().wait()


class _JobWatch:
    """Returns whether a job is over; reads its manifest at most once a second."""

    def __init__(self, pipeline: AudioPipeline, job_id: str) -> None:
        self._pipeline = pipeline
        self._job_id = job_id
        self._checked_at = float("-inf")
        self._is_over = False

    def __call__(self) -> bool:
        if time.monotonic() - self._checked_at >= WATCH_S:
            return self.check()
        return self._is_over

    def check(self) -> bool:
        """Look now."""
        self._checked_at = time.monotonic()
        self._is_over = self._is_over or is_over(self._pipeline, self._job_id)
        return self._is_over


def is_over(pipeline: AudioPipeline, job_id: str) -> bool:
    """Return whether a job has ended or was deleted."""
    try:
        return pipeline.store.load(job_id).state.is_final
    except JobNotFound:
        return True


def clean_up(pipeline: AudioPipeline, job_id: str) -> None:
    """Remove the work files of a job that is over, or its whole folder if it was deleted."""
    try:
        if pipeline.store.load(job_id).state.is_final:
            with suppress(StorageFull):  # the reaper removes it later
                pipeline.store.remove_work(job_id)
    except JobNotFound:
        shutil.rmtree(pipeline.store.job_folder(job_id), ignore_errors=True)
