"""The worker's side of a stage process: start, request, cancel, kill, restart."""

import logging
import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait

from core.errors import WorkerLost
from core.jobs.stage_child import (
    ChildSpec,
    StageCancel,
    StageDone,
    StageProgress,
    StageRaised,
    StageRequest,
    serve_stages,
)
from core.jobs.timing import Watchdog
from core.pipeline.stage_ref import Attempt
from core.system.processes import stops_blocked
from stemcrate.schemas.manifest import StageState

logger = logging.getLogger(__name__)

CANCEL_GRACE_S = 5.0
POLL_S = 0.2

_spawn = multiprocessing.get_context("spawn")


class StageProcess:
    """One process that runs one stage at a time; started when first needed.

    Not thread-safe, except for `kill`.
    """

    def __init__(
        self,
        spec: ChildSpec,
        *,
        cancel_grace_s: float = CANCEL_GRACE_S,
        silence_s: float = 0.0,
    ) -> None:
        self._spec = spec
        self._cancel_grace_s = cancel_grace_s
        self._silence_s = silence_s
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection[object, object] | None = None
        self._number = 0

    @property
    def pid(self) -> int | None:
        """The process id; None if the process is not running."""
        return self._process.pid if self._process is not None else None

    def run(
        self,
        attempt: Attempt,
        *,
        progress: Callable[[float], None],
        cancelled: Callable[[], bool],
    ) -> StageState | None:
        """Run an attempt at a stage in the process.

        Returns the stage's state; None if a newer attempt has taken over.

        ``cancelled`` is polled several times a second; once it returns True, the stage has a few
        seconds to stop by itself, then its process is killed. A process without a sign of life for
        ``silence_s`` seconds is killed, too (0: never): it hangs, and blocks every job behind it.

        Raises `WorkerLost` if the process dies or hangs, and whatever
        `AudioPipeline.run_attempt` raises.
        """
        self._number += 1
        try:
            connection = self._ensure_started()
            connection.send(StageRequest(self._number, attempt))
            reply = self._await_end(connection, attempt.ref.stage_name, progress, cancelled)
        except (EOFError, OSError) as error:
            raise self._lost(attempt.ref.stage_name) from error
        except BaseException:
            self._discard()  # it still works on this request and must not answer the next one
            raise
        if isinstance(reply, StageRaised):
            raise reply.error
        return reply.state

    def start(self) -> None:
        """Start the process now, so that it warms up before it is needed."""
        self._ensure_started()

    def kill(self) -> None:
        """Kill the process. May be called while another thread is in `run`, which then raises."""
        process = self._process
        if process is not None:
            process.kill()
            process.join()

    def _discard(self) -> None:
        self.kill()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _ensure_started(self) -> "Connection[object, object]":
        if self._process is not None and self._process.is_alive() and self._connection is not None:
            return self._connection
        self._discard()
        connection, theirs = _spawn.Pipe()
        process = _spawn.Process(
            target=serve_stages, args=(self._spec, theirs), name=self._spec.name, daemon=True
        )
        with stops_blocked():
            process.start()
        theirs.close()
        self._process, self._connection = process, connection
        return connection

    def _await_end(
        self,
        connection: "Connection[object, object]",
        stage_name: str,
        progress: Callable[[float], None],
        cancelled: Callable[[], bool],
    ) -> StageDone | StageRaised:
        kill_at: float | None = None
        watchdog = Watchdog(self._silence_s)
        while True:
            # A dead process closes its end of the pipe: recv then raises EOFError, after all
            # messages that it had sent.
            if wait([connection], timeout=POLL_S):
                message = connection.recv()
                watchdog.reset()
                if isinstance(message, StageProgress):
                    progress(message.fraction)
                elif isinstance(message, StageDone | StageRaised):
                    return message
            if kill_at is None and cancelled():
                connection.send(StageCancel(self._number))
                kill_at = time.monotonic() + self._cancel_grace_s
            elif kill_at is not None and time.monotonic() > kill_at:
                logger.warning("the stage did not stop in time, killing its process")
                self._discard()
                return StageDone(StageState.CANCELLED)
            if kill_at is None and watchdog.is_expired:
                raise WorkerLost(
                    f"The stage '{stage_name}' reported no progress for "
                    f"{self._silence_s:g} s: its process was stopped.",
                    hint="Raise STAGE_SILENCE_S if the stage is only slow.",
                )

    def _lost(self, stage_name: str) -> WorkerLost:
        process = self._process
        if process is not None:
            process.join(timeout=1.0)
        code = process.exitcode if process is not None else None
        self._discard()
        return WorkerLost(
            f"The process of the stage '{stage_name}' died ({_describe(code)}).",
            hint="Most often the machine ran out of memory. Close other programs, or try a smaller "
            "model or a shorter file.",
        )


def _describe(exitcode: int | None) -> str:
    if exitcode is None:
        return "no exit code"
    if exitcode >= 0:
        return f"exit code {exitcode}"
    try:
        return f"signal {signal.Signals(-exitcode).name}"
    except ValueError:
        return f"signal {-exitcode}"
