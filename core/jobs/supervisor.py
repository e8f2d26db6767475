"""The processes of an installation on one machine: started, restarted and stopped together."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

logger = logging.getLogger(__name__)

POLL_S = 0.2
STOP_GRACE_S = 10.0
BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_AFTER_S = 30.0
PR_SET_PDEATHSIG = 1


def run_all(commands: Mapping[str, Sequence[str]]) -> int:
    """Run these commands until Ctrl-C or SIGTERM; give the exit code.

    A command that ends is started again, later each time. One that ends five times without having
    run for half a minute ends everything, with exit code 1: the reason is in its messages.

    No process outlives this one, even when it is killed: on Linux the kernel sees to it.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    children = [_Child(name, command) for name, command in commands.items()]
    try:
        for child in children:
            child.start()
        while not stopping.wait(POLL_S):
            for child in children:
                child.look_after()
    except _GaveUp as error:
        logger.critical("%s", error)
        return 1
    finally:
        _stop(children)
    return 0


class _GaveUp(Exception):
    """A command does not stay up."""


class _Child:
    """One command and its process."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._command = list(command)
        self._n_failures = 0
        self._started_at = 0.0
        self._restart_at: float | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the command. Always on the main thread: the kernel watches the thread."""
        # A session of its own, so that Ctrl-C reaches this process alone, which then stops all in
        # good order.
        self.process = subprocess.Popen(
            self._command, start_new_session=True, preexec_fn=_die_with_parent()
        )
        self._started_at = time.monotonic()
        self._restart_at = None
        logger.info("%s runs as process %d", self.name, self.process.pid)

    def look_after(self) -> None:
        """Start the command again if it ended."""
        if self._restart_at is not None:
            if time.monotonic() >= self._restart_at:
                self.start()
            return
        if self.process is None or self.process.poll() is None:
            return
        if time.monotonic() - self._started_at > STEADY_AFTER_S:
            self._n_failures = 0
        if self._n_failures == len(BACKOFF_S):
            raise _GaveUp(f"{self.name} does not stay up: it ended {self._n_failures + 1} times")
        pause_s = BACKOFF_S[self._n_failures]
        self._n_failures += 1
        self._restart_at = time.monotonic() + pause_s
        code = self.process.returncode
        logger.error("%s ended with code %d: it starts again in %g s", self.name, code, pause_s)

    def signal(self, number: int) -> None:
        """Send a signal to the process and everything that it started."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)


def _stop(children: Sequence[_Child]) -> None:
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_GRACE_S
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            logger.warning("%s does not stop: killing it", child.name)
            child.signal(signal.SIGKILL)
            child.process.wait()


def _die_with_parent() -> Callable[[], None] | None:
    """Give what a new process runs first: ask the kernel to kill it when its parent dies."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)  # found here: little is safe between fork and exec
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return ask
