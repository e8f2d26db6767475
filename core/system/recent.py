"""Values that many ask for at the same time."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """A value that is read again when it is older than ``fresh_s``, by one thread for all.

    What ``read`` raises, whoever made it read gets; the next one reads again.
    """

    def __init__(
        self,
        read: Callable[[], T],
        fresh_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._fresh_s = fresh_s
        self._clock = clock
        self._lock = threading.Lock()
        self._found: tuple[float, T] | None = None

    def get(self, *, since: float | None = None) -> T:
        """Return the value, read within ``fresh_s`` or after the time ``since`` of the clock."""
        limit = self._clock() - self._fresh_s if since is None else since
        with self._lock:
            if self._found is None or self._found[0] < limit:
                began_at = self._clock()
                self._found = began_at, self._read()
            return self._found[1]

    def get_new(self) -> T:
        """Return the value, read after this call."""
        return self.get(since=self._clock())
