"""Process groups and limits: everything that only POSIX or Linux provides.

A program that starts programs of its own must be stopped with all of them. POSIX has process groups
for that; elsewhere the program alone is stopped. Linux can end a process when its parent dies;
elsewhere a killed parent leaves its children running. POSIX limits what a process takes; elsewhere
time limits are kept by whoever started the process, and memory has none.
"""

import ctypes
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if sys.platform != "win32":
    import resource

STOP_SIGNALS: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGINT)
"""Signals by which a terminal, a service manager or a container asks a program to stop."""
if sys.platform != "win32":
    STOP_SIGNALS += (signal.SIGHUP,)

_PR_SET_PDEATHSIG = 1
_RESERVED_FILES = 200
"""Files of a server that are no connections: database, logs, pipes to other processes."""
_FILES_PER_CONNECTION = 2
"""A connection, and the file that is received or sent by it."""


def start_group(command: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
    """Start a command as the leader of a process group; ``options`` as of `subprocess.Popen`.

    Ctrl-C in the terminal does not reach the group. On Linux the kernel kills the command when the
    calling thread ends, so call this from a thread that lives as long as the command should.
    """
    return subprocess.Popen(
        command, start_new_session=True, preexec_fn=_die_with_parent(), **options
    )


def stop_group(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process and everything that it started to stop. Does nothing if it has ended."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.terminate()
    else:
        os.killpg(process.pid, signal.SIGTERM)


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and everything that it started. Does nothing if it has ended."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def stops_blocked() -> Iterator[None]:
    """Block ``STOP_SIGNALS`` in this thread and in the processes that it starts meanwhile.

    Such a process calls `leave_stops_to_parent` when it can; until then, a signal to the whole
    group would end it before its parent decides.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_stops_to_parent() -> None:
    """Ignore ``STOP_SIGNALS``: who stops a group means the parent, which ends this process."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def limit_memory(extra_bytes: int) -> None:
    """Let this process take so much address space beyond what it has now.

    Allocations beyond it fail, as a rule with MemoryError. Only Linux is limited.
    """
    if sys.platform != "linux":
        return
    n_pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = n_pages * resource.getpagesize() + extra_bytes
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def limit_cpu(seconds: float) -> None:
    """Let this process use every core for so many seconds from now; the kernel then ends it.

    For processes whose parent watches the clock: the kernel does so where that parent cannot.
    """
    if sys.platform == "win32":
        return
    limit = math.ceil(time.process_time() + seconds * (os.cpu_count() or 1))
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def limit_file_size(n_bytes: int) -> None:
    """Let this process write no file beyond this size; a write then fails with EFBIG (POSIX)."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))


def _die_with_parent() -> Callable[[], None] | None:
    """Return what a new process runs first: it asks the kernel to kill it when its parent dies."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)  # found here: little is safe between fork and exec
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return ask


def fit_connections(wanted: int) -> int:
    """Return how many connections a server can have beside the files that it opens, at least one.

    Raises this process's own limit of open files as far as the system permits (POSIX).
    """
    if sys.platform == "win32":
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _RESERVED_FILES + _FILES_PER_CONNECTION * wanted
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(wanted, (soft - _RESERVED_FILES) // _FILES_PER_CONNECTION))
