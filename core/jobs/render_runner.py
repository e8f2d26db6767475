"""Runs renders in a worker, one at a time, in a process that can be killed."""

import logging
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from dbos import DBOS  # noqa: TID251

from core.artifacts.renders import RenderAttempt, RenderStore
from core.errors import (
    DatabaseUnavailable,
    RenderNotFound,
    StemcrateError,
    WorkerLost,
)
from core.jobs.patience import patiently
from core.jobs.progress import ProgressLog
from core.jobs.queue import RENDER_WORKFLOW
from core.jobs.timing import Throttle
from core.jobs.watching import killed_unless
from core.pipeline.outcome import failure_of
from core.rendering.file import Finished
from core.rendering.plan import perform
from core.system.isolation import IsolatedProcess, ProcessDied, ProcessLimits
from core.system.logs import work_in_log
from core.system.storage import Storage
from stemcrate.schemas.manifest import Failure, JobState
from stemcrate.schemas.renders import RenderRecord

logger = logging.getLogger(__name__)

NO_LIMIT = None
"""The engine counts every restart of a worker; attempts are counted in the record."""
MOST_ATTEMPTS = 20
"""Attempts before a render counts as the cause of what ends its workers."""


def register_render_workflow(runner: "RenderRunner") -> None:
    """Register the workflow, once in a process, before the engine is launched."""

    @DBOS.workflow(name=RENDER_WORKFLOW, max_recovery_attempts=NO_LIMIT)
    def render(id: str, run: str) -> None:
        DBOS.run_step({"name": "render"}, lambda: runner.run(id, run))


class RenderRunner:
    """Carries out renders. `run` is for one thread at a time, `stop` for any.

    Parameters
    ----------
    storage, database_url : of jobs, renders and library.
    log : receives the progress.
    silence_s : kill a render that reports no progress for so long; 0: never.
    max_deaths : deaths of its process before a render fails.
    """

    def __init__(
        self,
        storage: Storage,
        database_url: str,
        log: ProgressLog,
        *,
        silence_s: float,
        max_deaths: int,
    ) -> None:
        self._storage = storage
        self._database_url = database_url
        self._log = log
        self._store = RenderStore(storage)
        self._process = IsolatedProcess(ProcessLimits(silence_s=silence_s or None))
        self._max_deaths = max_deaths
        self._stopping = threading.Event()

    def run(self, id: str, run: str) -> None:
        """Carry out a run, unless it is over; its record says how it ended.

        Does not return while the worker stops: another worker makes the render.
        """
        with work_in_log(id), suppress(RenderNotFound):
            record = self._store.begin(id, run)
            attempt = RenderAttempt.of(record)
            try:
                self._carry_out(attempt, record)
            except RenderNotFound:
                raise
            except StemcrateError as error:
                self._park_if_stopping()
                logger.warning("the render failed: %s", error)
                self._fail(attempt, failure_of(error))
            finally:
                with suppress(DatabaseUnavailable):
                    self._log.forget(id)

    def stop(self) -> None:
        """Kill the process; its render stays unfinished."""
        self._stopping.set()
        self._process.close()

    def _carry_out(self, attempt: RenderAttempt, wanted: RenderRecord) -> None:
        """Render and keep the file. Raises `RenderNotFound` once the attempt is over."""
        if attempt.number > MOST_ATTEMPTS:
            raise WorkerLost(
                f"Workers ended {MOST_ATTEMPTS} times while they made this render.",
                hint="Most often the machine ran out of memory; see the worker's log.",
            )
        for n_deaths in range(1, self._max_deaths + 1):
            with self._store.work_folder(attempt) as work:
                try:
                    finished = self._render(attempt, wanted, work)
                except ProcessDied as error:
                    self._park_if_stopping()
                    logger.warning("death %d of %d: %s", n_deaths, self._max_deaths, error)
                    lost = error
                    continue
                with self._store.update(attempt) as record:
                    self._store.keep(record, finished.path)
                    record.file = finished.file
                    record.transition = finished.transition
                    record.warnings = finished.warnings
                    record.state = JobState.COMPLETED
                    record.finished_at = datetime.now(UTC)
                return
        raise WorkerLost(
            f"The process of the render died: {lost}.",
            hint="Most often the machine ran out of memory. Close other programs and try again.",
        )

    def _render(self, attempt: RenderAttempt, wanted: RenderRecord, work: Path) -> Finished:
        report = Throttle(lambda fraction: self._tell(attempt.id, fraction))
        steps = self._process.stream(
            perform, self._storage, self._database_url, wanted.owner, wanted.request, work
        )
        # The attempt is over as soon as the render is deleted.
        with killed_unless(lambda: self._store.is_current(attempt), self._process):
            for step in steps:
                if isinstance(step, Finished):
                    finished = step
                else:
                    report(step)
        return finished

    def _tell(self, id: str, fraction: float) -> None:
        # A convenience: an unavailable database must not fail a render.
        with suppress(DatabaseUnavailable):
            self._log.append(id, {"kind": "progress", "fraction": round(fraction, 4)})

    def _fail(self, attempt: RenderAttempt, failure: Failure) -> None:
        def fail() -> None:
            self._park_if_stopping()
            with self._store.update(attempt) as record:
                record.state = JobState.FAILED
                record.error = failure
                record.finished_at = datetime.now(UTC)

        patiently(fail)

    def _park_if_stopping(self) -> None:
        # Returning or raising would tell the engine that the render ended; see `StageRunner`.
        if self._stopping.is_set():
            threading.Event().wait()
