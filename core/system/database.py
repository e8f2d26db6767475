"""The database of an installation: its connections, its locks, and what is said when it is down.

One database holds the jobs (`core.jobs`) and the library's catalogue (`core.library.catalogue`), in
tables of their own, and the keys of the API (`core.access`): SQLite in the data folder by default,
in WAL mode (several processes read while one writes), PostgreSQL when the URL says so. Those three
packages and this module alone use SQL.
"""

import hashlib
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock

from core.errors import DatabaseUnavailable
from core.system.disk import create_data_dir
from stemcrate.schemas.owners import LOCAL

logger = logging.getLogger(__name__)

CATALOGUE = "library.sqlite"
"""The file of an owner's catalogue, in their home."""
_SCHEMA = "owner_"
"""How schemas of owners begin."""
BUSY_TIMEOUT_S = 30.0
"""How long a statement waits for another program's lock on a SQLite file."""

# Keys of PostgreSQL's advisory locks: any constants of ours, each for one thing.
TABLES_LOCK = 7_305_001  # held while tables are made or changed
WORKERS_LOCK_CLASS = 7_305_002  # first half of the key of every worker's lock


def is_sqlite(url: str) -> bool:
    """Return whether the database is a SQLite file on this machine."""
    return sa.make_url(url).get_backend_name() == "sqlite"


def sqlite_path(url: str) -> Path:
    """Return the file of a SQLite URL. Raises ValueError for a database in memory."""
    path = sa.make_url(url).database
    if not path or path == ":memory:":
        raise ValueError(f"{url} names no file: jobs and library must outlive the process")
    return Path(path)


def postgres_url(url: str) -> sa.URL:
    """Return a PostgreSQL URL for the driver that is installed (psycopg 3)."""
    return sa.make_url(url).set(drivername="postgresql+psycopg")


def database_of(url: str, owner: str, home: Path) -> str:
    """Return the URL of the catalogue of an owner, apart from those of all others.

    `local` has the installation's database; each other owner a SQLite file in ``home``, or a
    schema of PostgreSQL.
    """
    if owner == LOCAL:
        return url
    if is_sqlite(url):
        return f"sqlite:///{home.resolve() / CATALOGUE}"
    given = sa.make_url(url)
    others = str(given.query.get("options", ""))
    options = f"{others} -csearch_path={_SCHEMA}{owner.replace('-', '_')}".strip()
    return given.update_query_dict({"options": options}).render_as_string(hide_password=False)


def schema_of(url: str) -> str | None:
    """Return the schema of PostgreSQL that a URL of `database_of` names; None: the usual one."""
    options = str(sa.make_url(url).query.get("options", ""))
    _, found, schema = options.partition(f"search_path={_SCHEMA}")
    return f"{_SCHEMA}{schema}" if found else None


@lru_cache
def engine_for(url: str) -> sa.Engine:
    """Return this process's connections to the database; none is opened yet."""
    if schema_of(url) is not None:  # of owners there may be many: none keeps connections
        return sa.create_engine(postgres_url(url), poolclass=sa.NullPool)
    if not is_sqlite(url):
        return sa.create_engine(postgres_url(url), pool_pre_ping=True, pool_size=4)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})

    @sa.event.listens_for(engine, "connect")
    def _enforce_foreign_keys(
        connection: sa.engine.interfaces.DBAPIConnection, _record: object
    ) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


@lru_cache
def unflushed_engine(path: Path) -> sa.Engine:
    """Return this process's connections to a SQLite file that can be made again.

    It is not flushed to the disk, and has no WAL, so that it may lie on a network file system.
    """
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_S})

    @sa.event.listens_for(engine, "connect")
    def _hurry(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.close()

    return engine


@contextmanager
def transaction(url: str) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction, which is committed when the block ends.

    Raises `DatabaseUnavailable`.
    """
    with database_errors(), engine_for(url).begin() as connection:
        yield connection


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn what SQLAlchemy raises for a database that does not answer into `DatabaseUnavailable`.

    Statements that the database refuses (a constraint, a missing table) are defects and stay as
    they are.
    """
    try:
        yield
    except (sa.exc.DBAPIError, sa.exc.TimeoutError, sa.exc.DisconnectionError) as error:
        if _is_wrong_statement(error):
            raise
        # The driver's words name hosts and files: they are for the log, not for clients.
        logger.warning("the database does not answer: %s", error)
        if "database is locked" in str(error):
            raise DatabaseUnavailable(
                "The database is locked by another program.",
                hint="Try again soon; close programs that have the database file open.",
            ) from error
        raise DatabaseUnavailable(
            "The database does not answer.",
            hint="Try again soon. Check that it runs and that DATABASE_URL is right.",
        ) from error


def _is_wrong_statement(error: Exception) -> bool:
    if isinstance(error, sa.exc.OperationalError):
        # SQLite's driver calls a missing table an operational error, as it does a locked file.
        return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    return isinstance(
        error,
        sa.exc.DataError
        | sa.exc.IntegrityError
        | sa.exc.NotSupportedError
        | sa.exc.ProgrammingError,
    )


@contextmanager
def changing_tables(url: str) -> Iterator[None]:
    """Be the only process that makes or changes tables while the block runs.

    Creates the folder and the file of a SQLite database, in WAL mode. Raises `DatabaseUnavailable`.
    """
    if is_sqlite(url):
        path = sqlite_path(url)
        create_data_dir(path.parent)
        with FileLock(path.with_name(f"{path.name}.lock")):
            _turn_wal_on(url)
            yield
        return
    engine = engine_for(url).execution_options(isolation_level="AUTOCOMMIT")
    with database_errors(), engine.connect() as connection:
        # Tried again and again rather than waited for: a waiting statement would hold a snapshot,
        # and the migrations' CREATE INDEX CONCURRENTLY would wait for that for ever.
        while not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(TABLES_LOCK))):
            time.sleep(0.1)
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(TABLES_LOCK)))


@contextmanager
def one_process(url: str, task: str) -> Iterator[None]:
    """Be the only process that is at this task while the block runs. For short blocks.

    Threads of a process take turns before, so that few connections wait. Raises
    `DatabaseUnavailable`.
    """
    if is_sqlite(url):
        path = sqlite_path(url)
        with FileLock(path.with_name(f"{path.name}.tasks.lock")):
            yield
        return
    key = int.from_bytes(hashlib.sha256(task.encode()).digest()[:8], signed=True)
    with transaction(url) as connection:  # its end releases the lock
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
        yield


@lru_cache
def _lock_engine(url: str) -> sa.Engine:
    # Apart from the connections for statements: who holds a lock may have to wait for one of those.
    return sa.create_engine(
        postgres_url(url),
        isolation_level="AUTOCOMMIT",
        pool_pre_ping=True,
        pool_size=2,
        max_overflow=-1,
    )


@contextmanager
def advisory_lock(url: str, name: str, *, timeout_s: float) -> Iterator[bool]:
    """Hold a lock of PostgreSQL for the block; yield False if it is not free in time.

    ``timeout_s``: negative to wait for ever. Raises `DatabaseUnavailable`.
    """
    key = sa.func.hashtextextended(f"stemcrate {name}", 0)
    deadline = time.monotonic() + timeout_s
    with database_errors(), _lock_engine(url).connect() as connection:
        # Tried again and again rather than waited for, as `changing_tables` does.
        while not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(key))):
            if timeout_s >= 0 and time.monotonic() >= deadline:
                yield False
                return
            time.sleep(0.05)
        try:
            yield True
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(key)))


def _turn_wal_on(url: str) -> None:
    # Stays in the file; impossible within a transaction, or while others hold connections.
    engine = engine_for(url).execution_options(isolation_level="AUTOCOMMIT")
    with database_errors(), engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def without_password(url: str) -> str:
    """Return an address with asterisks for its password.

    >>> without_password("postgresql+psycopg://dj:secret@db/stemcrate")
    'postgresql+psycopg://dj:***@db/stemcrate'
    """
    return sa.make_url(url).render_as_string(hide_password=True)
