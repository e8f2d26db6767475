"""Places for what takes long: work on files, and event streams.

Who waits for a place holds none of the threads that routes share.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, TypeVarTuple

import anyio

from core.errors import ServerBusy

MAX_WAITING = 200
"""Requests that wait for a place; files that they sent lie on the disk meanwhile."""

Arguments = TypeVarTuple("Arguments")
R = TypeVar("R")


async def run_in_place(
    places: anyio.CapacityLimiter, function: Callable[[*Arguments], R], *arguments: *Arguments
) -> R:
    """Call a function in a thread when a place is free. Raises `ServerBusy`."""
    if places.statistics().tasks_waiting >= MAX_WAITING:
        raise ServerBusy(
            f"{MAX_WAITING} requests are waiting for files to be read.",
            hint="Send this one again later.",
        )
    return await anyio.to_thread.run_sync(function, *arguments, limiter=places)


class EventStreams:
    """Counts open event streams: they may not take all connections."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._n_open = 0

    def require_place(self) -> None:
        """Raise `ServerBusy` if there are too many streams."""
        if self._n_open >= self._limit:
            raise ServerBusy(
                f"{self._limit} event streams are open.",
                hint="GET /job/{id} gives the job's state and progress, too.",
            )

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a stream during the block."""
        self._n_open += 1
        try:
            yield
        finally:
            self._n_open -= 1
