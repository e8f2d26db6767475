"""Liveness of workers: each holds a lock that the kernel or PostgreSQL releases when it dies.

No heartbeat and no clock: if a worker's lock can be taken, the worker is dead. Workers that share a
SQLite database share the folder ``locks/workers`` beside it; with PostgreSQL, session advisory
locks do the same across machines.

A worker gets a new id at every start and takes its lock before any work, so an id never means two
processes.
"""

import logging
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from filelock import FileLock

from core.errors import DatabaseUnavailable
from core.system.database import (
    WORKERS_LOCK_CLASS,
    database_errors,
    is_sqlite,
    postgres_url,
    sqlite_path,
    transaction,
)
from core.system.locks import held_if_free

logger = logging.getLogger(__name__)

ACQUIRE_TIMEOUT_S = 10.0
STALE_AFTER_S = 60.0
RELOCK_S = 10.0
KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "options": "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3",
}


class Liveness(Protocol):
    """Locks of workers."""

    def hold(self, executor_id: str) -> None:
        """Take this process's lock for its lifetime."""

    def is_held(self) -> bool:
        """Return whether this process holds its lock; if not, another may have taken its work."""

    def renew(self) -> bool:
        """Take this process's lost lock again; return whether that succeeded.

        Another worker may have taken its work meanwhile: the caller has to find out.
        """

    def release(self) -> None:
        """Release the lock."""

    def if_dead(self, executor_id: str) -> AbstractContextManager[bool]:
        """Return whether no process holds this worker's lock; hold it for the block if so.

        A worker that only lost its connection cannot renew its lock meanwhile.
        """

    def is_dead(self, executor_id: str) -> bool:
        """Return whether no process holds this worker's lock."""

    def count(self) -> int:
        """Return the number of live workers."""


def open_liveness(database_url: str) -> Liveness:
    """Return the kind of locks that suits the database."""
    if is_sqlite(database_url):
        return FileLiveness(sqlite_path(database_url).parent / "locks" / "workers")
    return PostgresLiveness(database_url)


def live_workers(database_url: str) -> int:
    """Return the number of live workers of this database."""
    return open_liveness(database_url).count()


def new_executor_id() -> str:
    """Return the id of a worker that starts now."""
    return f"worker@{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:12]}"


class FileLiveness:
    """File locks in one folder; the kernel releases them when their process dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: FileLock | None = None
        self._inode = 0

    def hold(self, executor_id: str) -> None:
        """Take this process's lock. Raises ``Timeout`` if another process holds it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(executor_id)
        own = FileLock(path, timeout=ACQUIRE_TIMEOUT_S, thread_local=False)
        own.acquire()
        self._own = own
        self._inode = path.stat().st_ino

    def is_held(self) -> bool:
        """Return whether the locked file is still the one with its name."""
        if self._own is None:
            return False
        try:
            return Path(self._own.lock_file).stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def renew(self) -> bool:
        """Return False: nothing but another program removes the file of a living worker."""
        return False

    def release(self) -> None:
        """Release the lock and remove its file."""
        if self._own is not None:
            Path(self._own.lock_file).unlink(missing_ok=True)
            self._own.release()
            self._own = None

    @contextmanager
    def if_dead(self, executor_id: str) -> Iterator[bool]:
        """Yield whether no process holds this worker's file; hold it for the block if so."""
        path = self._path(executor_id)
        if not path.exists():
            yield True
            return
        with held_if_free(path) as is_free:
            yield is_free

    def is_dead(self, executor_id: str) -> bool:
        """Return whether no process holds this worker's file."""
        with self.if_dead(executor_id) as is_dead:
            return is_dead

    def count(self) -> int:
        """Return the number of locked files; remove old files of dead workers."""
        alive = 0
        for path in self._folder.glob("*.lock"):
            if not self.is_dead(path.stem):
                alive += 1
            elif _age_s(path) > STALE_AFTER_S:
                path.unlink(missing_ok=True)
        return alive

    def _path(self, executor_id: str) -> Path:
        return self._folder / f"{executor_id}.lock"


class PostgresLiveness:
    """Session advisory locks; PostgreSQL releases them when the connection breaks.

    Needs a direct connection or a session pool: a transaction pool would share the session.
    """

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._session: sa.Connection | None = None
        self._executor_id = ""

    def hold(self, executor_id: str) -> None:
        """Take this process's lock on a dedicated connection."""
        self._executor_id = executor_id
        engine = sa.create_engine(
            postgres_url(self._url),
            isolation_level="AUTOCOMMIT",
            poolclass=sa.NullPool,
            connect_args=KEEPALIVE,
        )
        with database_errors():
            self._session = engine.connect()
            is_ours = self._session.scalar(sa.select(_try_lock(executor_id)))
        if not is_ours:
            raise RuntimeError(f"another process holds the lock of {executor_id}")

    def is_held(self) -> bool:
        """Return whether the session lives."""
        if self._session is None:
            return False
        try:
            with database_errors():
                self._session.execute(sa.text("select 1"))
        except DatabaseUnavailable as error:
            logger.warning("this worker lost its lock: %s", error)
            self._drop()
            return False
        return True

    def renew(self) -> bool:
        """Take the lock on a new session; give up after ``RELOCK_S`` seconds.

        A restart of the server thus costs no running stage.
        """
        deadline = time.monotonic() + RELOCK_S
        while True:
            try:
                self.hold(self._executor_id)
            except (DatabaseUnavailable, RuntimeError) as error:
                logger.warning("this worker lost its lock: %s", error)
                self._drop()
            else:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(1.0)

    def release(self) -> None:
        """Release the lock by closing its session."""
        self._drop()

    @contextmanager
    def if_dead(self, executor_id: str) -> Iterator[bool]:
        """Yield whether no session holds this worker's lock; hold it for the block if so."""
        with transaction(self._url) as connection:
            # Transaction scope, so that the lock is released when this block ends.
            free = sa.func.pg_try_advisory_xact_lock(
                WORKERS_LOCK_CLASS, sa.func.hashtext(executor_id)
            )
            yield bool(connection.scalar(sa.select(free)))

    def is_dead(self, executor_id: str) -> bool:
        """Return whether no session holds this worker's lock."""
        with self.if_dead(executor_id) as is_dead:
            return is_dead

    def count(self) -> int:
        """Return the number of advisory locks of workers."""
        query = sa.text(
            "select count(*) from pg_locks where locktype = 'advisory' and granted "
            "and classid = :lock_class and objsubid = 2 "
            "and database = (select oid from pg_database where datname = current_database())"
        )
        with transaction(self._url) as connection:
            return int(connection.scalar(query, {"lock_class": WORKERS_LOCK_CLASS}) or 0)

    def _drop(self) -> None:
        if self._session is not None:
            self._session.invalidate()
            self._session.close()
            self._session = None


def _try_lock(executor_id: str) -> sa.Function[bool]:
    return sa.func.pg_try_advisory_lock(WORKERS_LOCK_CLASS, sa.func.hashtext(executor_id))


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
