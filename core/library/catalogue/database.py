"""The catalogue's connections: SQLite (WAL) or PostgreSQL, brought to the newest tables.

The catalogue lives in the same database as the jobs, in tables of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from filelock import FileLock

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_S = 30.0
_MIGRATION_LOCK = 7_305_002  # any constant of ours: the advisory lock held while tables change


@lru_cache
def open_engine(url: str) -> sa.Engine:
    """Give this process's connections to a database whose tables are the newest.

    Creates the folder and file of a SQLite database. Safe when several processes call it at once.

    Raises
    ------
    sqlalchemy.exc.SQLAlchemyError : the database does not answer.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = _open_sqlite(parsed)
    else:
        engine = sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=2
        )
    with _alone(engine) as connection:
        _migrate(connection)
    return engine


def _open_sqlite(url: sa.URL) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError(f"{url} names no file: the library must outlive the process")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection of the only process that changes the catalogue's tables."""
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        with FileLock(path.with_name(f"{path.name}.library.lock")), engine.connect() as connection:
            # WAL stays in the file; it cannot be turned on within a transaction.
            connection.connection.cursor().execute("PRAGMA journal_mode=WAL").close()
            yield connection
            connection.commit()
        return
    with engine.begin() as connection:
        # Held until the transaction ends.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        yield connection


def _migrate(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
