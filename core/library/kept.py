"""Values read from the catalogue, kept in memory until it changes."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """A value that was read at a revision and is valid until the next."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._revision: int | None = None
        self._value: T | None = None

    def get(self, revision: int, make: Callable[[], T]) -> T:
        """Return the value; make it again if the revision is another."""
        with self._lock:
            if self._value is None or self._revision != revision:
                self._value, self._revision = make(), revision
            return self._value
