"""Locks of files that are taken only where they are free."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def held_if_free(path: Path) -> Iterator[bool]:
    """Yield whether the lock was free; hold it for the block if so. Its folder must exist."""
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
