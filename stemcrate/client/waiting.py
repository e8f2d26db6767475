"""Waiting for what a server works on, by looking again and again."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from stemcrate.client.errors import WaitTimeout


class State(Protocol):
    """Of something that ends."""

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        ...


class Awaited(Protocol):
    """Something that ends, with an id."""

    id: str

    @property
    def state(self) -> State:
        """Where it stands."""
        ...


A = TypeVar("A", bound=Awaited)


def wait_until_final(
    look: Callable[[], A],
    progress: Callable[[A], None] | None,
    timeout_s: float | None,
    every_s: float,
) -> A:
    """Look every ``every_s`` seconds until it has ended, and return it. Raises `WaitTimeout`."""
    end = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        found = look()
        if progress:
            progress(found)
        if found.state.is_final:
            return found
        if end is not None and time.monotonic() > end:
            raise WaitTimeout(
                f"{type(found).__name__} {found.id} has not ended in the time given.",
                "It goes on; wait again, or end it.",
            )
        time.sleep(every_s)
