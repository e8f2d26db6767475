"""Locks between processes: of files, or of PostgreSQL's sessions where hosts share a database."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from core.system.disk import storage_errors
from core.system.storage import Storage

FOREVER_S = -1.0


class Locks(Protocol):
    """Locks by name. The lock of a process that dies is free."""

    def held(self, name: str, *, timeout_s: float = FOREVER_S) -> AbstractContextManager[None]:
        """Hold a lock in the block. Raises ``Timeout`` if it is not free in time."""

    def forget(self, name: str) -> None:
        """Remove what is left of a lock that nobody asks for again."""


class FolderLocks:
    """Locks of files below one folder; the kernel releases them when their process dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def held(self, name: str, *, timeout_s: float = FOREVER_S) -> Iterator[None]:
        """Hold a lock in the block. Raises ``Timeout``, and `StorageFull`."""
        path = self._path(name)
        lock = FileLock(path, timeout=timeout_s)
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def forget(self, name: str) -> None:
        """Remove the file of a lock."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.lock"


class DatabaseLocks:
    """Locks of PostgreSQL's sessions, which end with their connections.

    Who loses its connection loses its locks without notice. What must not be written twice is
    written in one transaction (`core.artifacts.shared_tables`) or under a name that tells its
    content.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def held(self, name: str, *, timeout_s: float = FOREVER_S) -> Iterator[None]:
        """Hold a lock in the block. Raises ``Timeout``, and `DatabaseUnavailable`."""
        # Imported late: settings and commands that share nothing do not wait for SQLAlchemy.
        from core.system.database import advisory_lock

        with advisory_lock(self._url, name, timeout_s=timeout_s) as is_held:
            if not is_held:
                raise Timeout(name)
            yield

    def forget(self, name: str) -> None:
        """Do nothing: a lock is a number."""


@lru_cache
def locks_of(storage: Storage) -> Locks:
    """Return the locks that the processes of an installation share."""
    if storage.is_shared:
        return DatabaseLocks(storage.database_url)
    return FolderLocks(storage.data_dir / "locks")


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
