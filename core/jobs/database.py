"""The job database: made ready by whichever process starts first.

SQLite in the data folder by default, in WAL mode (several processes read while one writes);
PostgreSQL when the URL says so. Holds the engine's own tables,
`progress_events` and `worker_reports`.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from dbos import DBOS  # noqa: TID251
from filelock import FileLock

from core.system.logs import quieten_engine

BUSY_TIMEOUT_S = 30.0
PREPARE_LOCK = 7_305_001  # any constant of ours: the advisory lock held while tables are made

metadata = sa.MetaData()

progress_events = sa.Table(
    "progress_events",
    metadata,
    sa.Column(
        "seq",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    sa.Column("job_id", sa.String(36), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Index("progress_events_by_job", "job_id", "seq"),
    sqlite_autoincrement=True,
)

worker_reports = sa.Table(
    "worker_reports",
    metadata,
    sa.Column("executor_id", sa.String(255), primary_key=True),
    sa.Column("payload", sa.Text, nullable=False),
)


def prepare_database(url: str) -> None:
    """Make the database ready for API and worker, in whatever order they start.

    Creates folder, file and tables, and migrates the engine's. Safe when several processes call it
    at once; does nothing to a database that is up to date.
    """
    quieten_engine()
    with _alone(url):
        if is_sqlite(url):
            _turn_wal_on(sqlite_path(url))
        DBOS.migrate(url)
        metadata.create_all(engine_for(url))


def is_sqlite(url: str) -> bool:
    """Tell whether the database is a SQLite file on this machine."""
    return sa.make_url(url).get_backend_name() == "sqlite"


def sqlite_path(url: str) -> Path:
    """Give the file of a SQLite URL."""
    path = sa.make_url(url).database
    if not path or path == ":memory:":
        raise ValueError(f"{url} names no file: jobs must outlive the process")
    return Path(path)


@lru_cache
def engine_for(url: str) -> sa.Engine:
    """Give this process's connections for our own tables."""
    if is_sqlite(url):
        return sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})
    return sa.create_engine(postgres_url(url), pool_pre_ping=True, pool_size=2)


def postgres_url(url: str) -> sa.URL:
    """Give a PostgreSQL URL for the driver that is installed (psycopg 3)."""
    return sa.make_url(url).set(drivername="postgresql+psycopg")


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """Be the only process that changes the database's tables."""
    if is_sqlite(url):
        path = sqlite_path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f"{path.name}.lock")):
            yield
        return
    engine = engine_for(url).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # Tried again and again rather than waited for: a waiting statement would hold a snapshot,
        # and the migrations' CREATE INDEX CONCURRENTLY would wait for that for ever.
        while not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(PREPARE_LOCK))):
            time.sleep(0.1)
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(PREPARE_LOCK)))


def _turn_wal_on(path: Path) -> None:
    # Stays in the file; impossible once the engine holds connections ("database is locked").
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
