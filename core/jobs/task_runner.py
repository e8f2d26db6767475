"""Runs tasks of workers (`core.artifacts.tasks`): begun, carried out, ended, closed when lost."""

import logging
import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import ClassVar, Generic, TypeVar

from dbos import DBOS  # noqa: TID251

from core.artifacts.tasks import TaskStore
from core.errors import StemcrateError, WorkerLost
from core.jobs.patience import patiently
from core.jobs.queue import ACTIVE, PIPELINE_VERSION, TASK_WORKFLOWS, JobQueue, TaskKind
from core.jobs.rounds import Rounds
from core.pipeline.outcome import failure_of
from core.system.clock import now
from core.system.logs import work_in_log
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.tasks import TaskRecord

logger = logging.getLogger(__name__)

R = TypeVar("R", bound=TaskRecord)

NO_LIMIT = None
"""The engine counts every restart of a worker; attempts are counted in the record."""
MOST_ATTEMPTS = 20
"""Attempts before a task counts as the cause of what ends its workers."""
MISSING_AFTER_S = 60.0
"""A task whose workflow the engine does not know for so long is lost."""


def register_task_workflow(runner: "TaskRunner[R]") -> None:
    """Register the workflow of a kind, once in a process, before the engine is launched."""

    @DBOS.workflow(name=TASK_WORKFLOWS[runner.kind], max_recovery_attempts=NO_LIMIT)
    def carry_out(id: str) -> None:
        DBOS.run_step({"name": runner.kind}, lambda: runner.run(id))


class TaskRunner(ABC, Generic[R]):
    """Carries out tasks of one kind. `run` is for several threads at a time, `stop` for any."""

    kind: ClassVar[TaskKind]

    def __init__(self, store: TaskStore[R]) -> None:
        self._store = store
        self._stopping = threading.Event()

    def run(self, id: str) -> None:
        """Carry out a task, unless it is over; its record says how it ended.

        Does not return while the worker stops: another worker goes on.
        """
        missing = self._store.missing
        with work_in_log(id), suppress(missing):
            record = self._store.begin(id)
            try:
                if record.attempt > MOST_ATTEMPTS:
                    raise WorkerLost(
                        f"Workers ended {MOST_ATTEMPTS} times during this {self.kind}.",
                        hint="Most often the machine ran out of memory; see the worker's log.",
                    )
                self._carry_out(record)
                self._end(record, JobState.COMPLETED)
            except missing:
                raise
            except StemcrateError as error:
                logger.warning("the %s failed: %s", self.kind, error)
                self._end(record, JobState.FAILED, error)

    def stop(self) -> None:
        """Let no task go on here."""
        self._stopping.set()

    @abstractmethod
    def _carry_out(self, record: R) -> None:
        """Do the work, calling `_park_if_stopping` often.

        Raises ``missing`` of the store once the attempt is over; other errors fail the task.
        """

    def _end(self, record: R, state: JobState, error: StemcrateError | None = None) -> None:
        def end() -> None:
            self._park_if_stopping()
            with self._store.update(record.id, record.attempt) as current:
                current.state = state
                current.error = None if error is None else failure_of(error)
                current.finished_at = now()

        patiently(end)

    def _park_if_stopping(self) -> None:
        # Returning or raising would tell the engine that the task ended; see `StageRunner`.
        if self._stopping.is_set():
            threading.Event().wait()


class TaskSweep(Rounds):
    """Closes tasks that nobody carries out any more; every worker may do so at once."""

    def __init__(self, kind: TaskKind, store: TaskStore[R], queue: JobQueue) -> None:
        self.subject = f"{kind}s"
        self._kind = kind
        self._store: TaskStore[R] = store
        self._queue = queue

    def round(self) -> None:
        """Close lost tasks."""
        waiting = [record for record in self._store.all() if not record.state.is_final]
        states = self._queue.task_states(self._kind, [r.id for r in waiting]) if waiting else {}
        for record in waiting:
            found = states.get(record.id)
            if found is None:
                age_s = time.time() - record.created_at.timestamp()
                is_lost = age_s > MISSING_AFTER_S
            else:
                is_outdated = found.status == "PENDING" and found.app_version != PIPELINE_VERSION
                is_lost = is_outdated or found.status not in ACTIVE
            if is_lost:
                self._close(record)

    def _close(self, record: TaskRecord) -> None:
        logger.warning("closed the %s %s, which no worker carries out", self._kind, record.id)
        lost = WorkerLost(f"No worker carries out this {self._kind}.", hint="Request it again.")
        missing = self._store.missing
        with suppress(missing), self._store.update(record.id, record.attempt) as current:
            current.state = JobState.FAILED
            current.error = failure_of(lost)
            current.finished_at = now()
