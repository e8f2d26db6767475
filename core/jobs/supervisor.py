"""The processes of an installation on one machine: started, restarted and stopped together."""

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence

from core.system.processes import STOP_SIGNALS, kill_group, start_group, stop_group

logger = logging.getLogger(__name__)

POLL_S = 0.2
STOP_GRACE_S = 10.0
BACKOFF_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Pauses before the restarts of a command that keeps ending; the last one is repeated."""
STEADY_AFTER_S = 30.0
"""A command that ran this long starts again with the first pause."""


def run_all(commands: Mapping[str, Sequence[str]]) -> None:
    """Run commands until Ctrl-C or SIGTERM.

    A command that ends is restarted after a pause, which grows to 30 s while it keeps ending, for
    as long as it takes: its database or its port may come back. The others run on meanwhile.

    On Linux the kernel kills the children if this process is killed.
    """
    stopping = threading.Event()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: stopping.set())
    children = [_Child(name, command) for name, command in commands.items()]
    try:
        for child in children:
            child.start()
        while not stopping.wait(POLL_S):
            for child in children:
                child.look_after()
    finally:
        _stop(children)


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
        """Start the command, always on the main thread: the kernel ties the child to the thread."""
        # A separate group: Ctrl-C reaches only this process, which then stops all in order.
        self.process = start_group(self._command)
        self._started_at = time.monotonic()
        self._restart_at = None
        logger.info("%s runs as process %d", self.name, self.process.pid)

    def look_after(self) -> None:
        """Restart the command if it has ended."""
        if self._restart_at is not None:
            if time.monotonic() >= self._restart_at:
                self.start()
            return
        if self.process is None or self.process.poll() is None:
            return
        if time.monotonic() - self._started_at > STEADY_AFTER_S:
            self._n_failures = 0
        pause_s = BACKOFF_S[min(self._n_failures, len(BACKOFF_S) - 1)]
        self._n_failures += 1
        self._restart_at = time.monotonic() + pause_s
        code = self.process.returncode
        logger.error("%s ended with code %d, restarting in %g s", self.name, code, pause_s)


def _stop(children: Sequence[_Child]) -> None:
    for child in children:
        if child.process is not None:
            stop_group(child.process)
    deadline = time.monotonic() + STOP_GRACE_S
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            logger.warning("%s does not stop, killing it", child.name)
            kill_group(child.process)
            child.process.wait()
