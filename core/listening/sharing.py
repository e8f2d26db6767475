"""What the threads of the listener share: work under way, and what was read of tracks."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

_KNOWN_TRACKS = 64  # of which manifests are kept: reading a long one takes tens of milliseconds


class Known(Generic[T]):
    """What was read of the last tracks, by track, as long as its stamp is the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[object, tuple[object, T]] = OrderedDict()

    def get(self, key: object, stamp: object, read: Callable[[], T]) -> T:
        """Return what was read of a track; read it if it is unknown or has another stamp."""
        with self._lock:
            found = self._found.get(key)
            if found is not None and found[0] == stamp:
                self._found.move_to_end(key)
                return found[1]
        value = read()
        with self._lock:
            self._found[key] = stamp, value
            if len(self._found) > _KNOWN_TRACKS:
                self._found.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._found.clear()


class Decoding:
    """A lane that is decoded from its start, and the threads that wait for its segments."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._n_done = 0
        self._is_over = False
        self._error: Exception | None = None

    def reach(self, number: int) -> None:
        """Note that a segment is there."""
        with self._changed:
            self._n_done = number + 1
            self._changed.notify_all()

    def end(self, error: Exception | None) -> None:
        """Note the end, and what caused it."""
        with self._changed:
            self._is_over, self._error = True, error
            self._changed.notify_all()

    def wait_for(self, number: int) -> None:
        """Return when a segment is there. Raises what ended the decoding before."""
        with self._changed:
            self._changed.wait_for(lambda: self._n_done > number or self._is_over)
            if self._n_done <= number and self._error is not None:
                raise self._error


class Flights:
    """A lock for each piece that is being made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[Path, tuple[threading.Lock, int]] = {}

    @contextmanager
    def of(self, path: Path) -> Iterator[None]:
        """Hold the lock of a piece while the block runs."""
        with self._lock:
            lock, n_users = self._held.get(path, (threading.Lock(), 0))
            self._held[path] = lock, n_users + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, n_users = self._held.pop(path)
                if n_users > 1:
                    self._held[path] = lock, n_users - 1
