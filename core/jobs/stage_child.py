"""The stage process: runs one stage at a time, requested and answered through a pipe.

It can be killed (to cancel, or by the kernel when memory runs out) without taking
the worker along; it survives between stages so that torch and the models stay loaded. It ends
itself when the worker is gone.

    to the child      StageRequest(number, attempt)    StageCancel(number)
    to the worker     StageProgress(fraction)…    then StageDone(state) or StageRaised(error)
"""

import importlib
import logging
import os
import queue
import threading
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait

from core.artifacts.store import JobStore
from core.errors import StageFailed, StemcrateError
from core.jobs.timing import Throttle
from core.pipeline.outcome import failure_of
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.runtime import Runtime
from core.pipeline.stage_ref import Attempt
from core.system.disk import storage_errors
from core.system.logs import LogFormat, configure_logging, work_in_log
from core.system.processes import leave_stops_to_parent
from core.system.storage import Storage
from stemcrate.schemas.manifest import StageState

logger = logging.getLogger(__name__)

PIPELINE_FACTORY = "core.pipeline.order:build_pipeline"


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What a stage process needs to build its pipeline.

    ``pipeline_factory`` names a function ``(store, runtime) -> AudioPipeline`` as
    ``module:function``. ``warm_up`` says whether stages load what they need before the first job.
    """

    storage: Storage
    runtime: Runtime
    name: str
    log_level: str = "INFO"
    log_format: LogFormat = "text"
    pipeline_factory: str = PIPELINE_FACTORY
    warm_up: bool = False


@dataclass(frozen=True, slots=True)
class StageRequest:
    """Run an attempt at a stage."""

    number: int
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class StageCancel:
    """Abandon the request of this number, if it still runs."""

    number: int


@dataclass(frozen=True, slots=True)
class StageProgress:
    """The fraction of the stage that is done, 0 to 1."""

    fraction: float


@dataclass(frozen=True, slots=True)
class StageDone:
    """The stage ended in this state, which the manifest records; None: another attempt runs it."""

    state: StageState | None


@dataclass(frozen=True, slots=True)
class StageRaised:
    """The stage could not be recorded: the job is gone, the disk is full, …"""

    error: StemcrateError


def load_pipeline(factory: str, storage: Storage, runtime: Runtime) -> AudioPipeline:
    """Build the pipeline that ``module:function`` makes."""
    module, _, function = factory.partition(":")
    pipeline = getattr(importlib.import_module(module), function)(JobStore(storage), runtime)
    assert isinstance(pipeline, AudioPipeline)
    return pipeline


def serve_stages(spec: ChildSpec, connection: "Connection[object, object]") -> None:
    """Serve requests as a stage's process; never returns while the worker lives."""
    leave_stops_to_parent()
    os.dup2(2, 1)  # stdout is reserved for results: what libraries print goes to stderr
    configure_logging(spec.log_level, spec.storage.data_dir, spec.name, format=spec.log_format)
    inbox = _Inbox(connection)
    pipeline = load_pipeline(spec.pipeline_factory, spec.storage, spec.runtime)
    if spec.warm_up:
        _warm_up(pipeline)
    while True:
        request = inbox.next()
        ref = request.attempt.ref
        with work_in_log(ref.job_id, ref.stage_name, ref.track_index):
            _tell(connection, _carry_out(pipeline, request, inbox, connection))


def _warm_up(pipeline: AudioPipeline) -> None:
    """Load what the first job will need; a job reports what cannot be loaded."""
    try:
        pipeline.warm_up()
    except StemcrateError as error:
        logger.warning("warm-up failed: %s", error)


def _carry_out(
    pipeline: AudioPipeline,
    request: StageRequest,
    inbox: "_Inbox",
    connection: "Connection[object, object]",
) -> StageDone | StageRaised:
    try:
        with storage_errors(pipeline.store.job_folder(request.attempt.ref.job_id)):
            state = pipeline.run_attempt(
                request.attempt,
                progress=Throttle(lambda fraction: _tell(connection, StageProgress(fraction))),
                cancelled=lambda: inbox.is_cancelled(request.number),
            )
    except StemcrateError as error:
        return StageRaised(error)
    except Exception as error:
        logger.exception("cannot record the stage")
        return StageRaised(StageFailed(failure_of(error).message))
    return StageDone(state)


def _tell(connection: "Connection[object, object]", message: object) -> None:
    """Send the worker a message; end with it, before the stage can fail for want of a listener."""
    try:
        connection.send(message)
    except OSError:  # the worker was killed: the next one goes on with the stage
        os._exit(1)


class _Inbox:
    """The worker's messages, read on a thread so that a cancel arrives while a stage runs."""

    def __init__(self, connection: "Connection[object, object]") -> None:
        self._connection = connection
        self._requests: queue.SimpleQueue[StageRequest] = queue.SimpleQueue()
        self._cancelled_number = 0
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def next(self) -> StageRequest:
        """Wait for the next request."""
        return self._requests.get()

    def is_cancelled(self, number: int) -> bool:
        """Return whether the worker abandoned this request."""
        return self._cancelled_number >= number

    def _read(self) -> None:
        worker = parent_process()
        assert worker is not None
        while True:
            if worker.sentinel in wait([self._connection, worker.sentinel]):
                os._exit(1)
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                os._exit(1)
            if isinstance(message, StageRequest):
                self._requests.put(message)
            elif isinstance(message, StageCancel):
                self._cancelled_number = message.number
