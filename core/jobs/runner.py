"""Runs stages in stage processes: slots, attempts, cancel, and progress events."""

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
from core.jobs.metrics import WorkerMetrics
from core.jobs.patience import patiently
from core.jobs.progress import ProgressLog
from core.jobs.timing import EtaEstimator
from core.pipeline.attempts import DeathLimits
from core.pipeline.outcome import failure_of
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.retrying import tidy
from core.pipeline.stage_ref import Attempt, StageRef
from core.system.logs import work_in_log
from stemcrate.schemas.manifest import StageState

logger = logging.getLogger(__name__)

WATCH_S = 1.0
BACKOFF_S = 0.5
MAX_BACKOFF_S = 30.0


class StageRunner:
    """Runs stages in a worker's stage processes.

    Parameters
    ----------
    pipeline : the stages and their store.
    log : receives progress events.
    processes : the processes of each queue, ``gpu`` and ``cpu``.
    limits : deaths after which a stage fails.
    metrics : counts the stages that end here.
    backoff_s : pause after the first death of a stage's process; doubles with each further one, up
        to ``MAX_BACKOFF_S``.
    """

    def __init__(
        self,
        pipeline: AudioPipeline,
        log: ProgressLog,
        processes: Mapping[str, Sequence[StageProcess]],
        *,
        limits: DeathLimits,
        metrics: WorkerMetrics,
        backoff_s: float = BACKOFF_S,
    ) -> None:
        self._pipeline = pipeline
        self._log = log
        self._processes = [process for group in processes.values() for process in group]
        self._free: dict[str, Queue[StageProcess]] = {name: Queue() for name in processes}
        for name, group in processes.items():
            for process in group:
                self._free[name].put(process)
        self._limits = limits
        self._metrics = metrics
        self._backoff_s = backoff_s
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._begun: set[Attempt] = set()

    def run(self, ref: StageRef, is_owned: Callable[[], bool]) -> StageState:
        """Run a stage in a process of its queue, with as many attempts as it takes.

        Returns its final state; ``cancelled`` if the job was cancelled or deleted.
        Does not return while the worker stops: another worker continues the stage.
        ``is_owned`` returns whether the stage is still this worker's. Raises `NotOwned` if not.
        """
        queue_name = self._pipeline.stage(ref.stage_name).queue
        job = _Watch(lambda: is_over(self._pipeline, ref.job_id))
        with (
            work_in_log(ref.job_id, ref.stage_name, ref.track_index),
            self._count(ref.job_id),
            self._slot(queue_name, job) as process,
        ):
            if process is None:
                return StageState.CANCELLED
            try:
                return self._run(process, ref, is_owned)
            except JobNotFound:
                return StageState.CANCELLED

    def stop(self) -> None:
        """Kill every stage process and leave their stages to the next worker, uncounted."""
        self._stopping.set()
        for process in self._processes:
            process.kill()
        with self._lock:
            begun = list(self._begun)
        for attempt in begun:
            try:
                self._pipeline.attempts.give_back(attempt)
            except StemcrateError as error:
                logger.warning("%s looks like a dead worker's: %s", attempt.ref, error)

    def _run(
        self, process: StageProcess, ref: StageRef, is_owned: Callable[[], bool]
    ) -> StageState:
        n_attempts = 0
        while True:
            attempt = self._begin(ref, is_owned)
            if isinstance(attempt, StageState):
                return attempt
            self._tell(ref, StageState.RUNNING, attempt)
            pause_s = min(self._backoff_s * 2**n_attempts, MAX_BACKOFF_S)
            state = self._attempt(process, attempt, pause_s)
            self._forget(attempt)
            if state is not None and state.is_final:
                self._tell(ref, state, attempt)
                self._measure(ref)
                return state
            n_attempts += 1

    def _begin(self, ref: StageRef, is_owned: Callable[[], bool]) -> Attempt | StageState:
        def begin() -> Attempt | StageState:
            self._park_if_stopping()
            begun = self._pipeline.attempts.begin(ref, is_owned=is_owned, limits=self._limits)
            if isinstance(begun, Attempt):
                with self._lock:
                    self._begun.add(begun)
            return begun

        return patiently(begin)

    def _forget(self, attempt: Attempt) -> None:
        self._park_if_stopping()  # `stop` gives it back
        with self._lock:
            self._begun.remove(attempt)

    def _attempt(
        self, process: StageProcess, attempt: Attempt, pause_s: float
    ) -> StageState | None:
        """Carry out an attempt; return its state, None if another one has taken over."""
        over = _Watch(lambda: self._pipeline.is_given_up(attempt))
        try:
            return process.run(attempt, progress=self._reporter(attempt.ref), cancelled=over)
        except WorkerLost as error:
            logger.warning("%s", error)
            self._metrics.process_died(attempt.ref.stage_name)
            lost = error
        except JobNotFound:
            return StageState.CANCELLED
        except Exception as error:  # whatever it is, the job must end
            if not isinstance(error, StemcrateError):
                logger.exception("the stage could not be run")
            failure = failure_of(error)
            return self._record(lambda: self._pipeline.fail_stage(attempt, failure))
        # Whoever kills this worker as well needs a moment: that does not count.
        self._stopping.wait(pause_s)
        return self._record(
            lambda: self._pipeline.attempts.count_death(attempt, lost, self._limits)
        )

    def _record(self, record: Callable[[], StageState | None]) -> StageState | None:
        """Record how an attempt ended, once there is room.

        Raising instead would leave the stage to the engine, which has no room either and drops it.
        """

        def record_unless_stopping() -> StageState | None:
            self._park_if_stopping()
            return record()

        return patiently(record_unless_stopping)

    def _reporter(self, ref: StageRef) -> Callable[[float], None]:
        """Return the progress function for one attempt at a stage."""
        estimator = EtaEstimator()

        def report(fraction: float) -> None:
            event = {"fraction": round(fraction, 4), "eta_s": estimator.eta_s(fraction)}
            self._append(ref, {"kind": "progress", **event})

        return report

    def _tell(self, ref: StageRef, state: StageState, attempt: Attempt) -> None:
        self._append(ref, {"kind": "stage", "state": state, "attempt": attempt.number})

    def _measure(self, ref: StageRef) -> None:
        with suppress(JobNotFound):  # deleted meanwhile
            manifest = self._pipeline.store.load(ref.job_id)
            self._metrics.ended(manifest.stage(ref.stage_name, ref.track_index))

    def _append(self, ref: StageRef, event: dict[str, Any]) -> None:
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


class _Watch:
    """Returns whether something is over; looks at most once a second."""

    def __init__(self, look: Callable[[], bool]) -> None:
        self._look = look
        self._looked_at = float("-inf")
        self._is_over = False

    def __call__(self) -> bool:
        if not self._is_over and time.monotonic() - self._looked_at >= WATCH_S:
            self._looked_at = time.monotonic()
            self._is_over = self._look()
        return self._is_over


def is_over(pipeline: AudioPipeline, job_id: str) -> bool:
    """Return whether a job has ended or was deleted."""
    try:
        return pipeline.store.load(job_id).state.is_final
    except JobNotFound:
        return True
    except DatabaseUnavailable:
        return False


def clean_up(pipeline: AudioPipeline, job_id: str) -> None:
    """Remove the work files of a job that is over, or its whole folder if it was deleted."""
    try:
        with suppress(StorageFull):  # the reaper removes them later
            tidy(pipeline.store, job_id)
    except JobNotFound:
        shutil.rmtree(pipeline.store.job_folder(job_id), ignore_errors=True)
