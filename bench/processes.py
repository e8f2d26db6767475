"""Processes and ports of tests and benchmarks: none outlives its block or is taken by another."""

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import psutil


@contextmanager
def running(command: Sequence[object], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """Run a command while the block runs; what is left of it at the end is killed."""
    with subprocess.Popen([str(word) for word in command], **options) as process:
        try:
            yield process
        finally:
            process.kill()


def is_running(process: psutil.Process | int) -> bool:
    """Tell whether a process runs. It may end while it is looked at; a zombie has ended."""
    try:
        found = psutil.Process(process) if isinstance(process, int) else process
        return found.is_running() and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def held_ports(n: int = 1) -> Iterator[list[int]]:
    """Hold ports for servers that must be told theirs, while the block runs.

    A port that is held is given to nobody who asks for any; a server that asks for it by number,
    with SO_REUSEADDR as servers do, gets it all the same, as nobody listens there.
    """
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for holder in sockets:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind(("127.0.0.1", 0))
        yield [holder.getsockname()[1] for holder in sockets]
