"""Copies of a database in use: SQLite's own, or those of PostgreSQL's programs."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from core.errors import DatabaseUnavailable, InvalidOption
from core.system.database import is_sqlite, postgres_url, sqlite_path
from core.system.disk import storage_errors

SQLITE_COPY = "database.sqlite"
POSTGRESQL_COPY = "database.dump"


def copy_database(url: str, folder: Path) -> str:
    """Copy the database, as it is at one moment, to a file in ``folder``; return its name.

    Others may go on writing. Raises `DatabaseUnavailable`, `StorageFull`, and `InvalidOption` where
    ``pg_dump`` is missing.
    """
    if is_sqlite(url):
        copy_sqlite(sqlite_path(url), folder / SQLITE_COPY)
        return SQLITE_COPY
    _run("pg_dump", url, "--format=custom", "--no-owner", f"--file={folder / POSTGRESQL_COPY}")
    return POSTGRESQL_COPY


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite file, as it is at one moment, in place of what is there.

    Raises `StorageFull`.
    """
    for suffix in ("", "-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    with (
        storage_errors(target),
        closing(sqlite3.connect(source)) as database,
        closing(sqlite3.connect(target)) as copy,
    ):
        database.backup(copy)


def restore_database(url: str, copy: Path) -> None:
    """Fill an empty database from its copy.

    Raises `DatabaseUnavailable`, `StorageFull`, and `InvalidOption` if the copy is of the other
    kind of database, if the database is not empty, or where ``pg_restore`` is missing.
    """
    if (copy.name == SQLITE_COPY) != is_sqlite(url):
        raise InvalidOption(
            f"{copy.name} is not for the database that DATABASE_URL names.",
            hint="Set DATABASE_URL as it was for the backup.",
            field="database_url",
        )
    if is_sqlite(url):
        target = sqlite_path(url)
        with storage_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(copy, target)
        return
    _run("pg_restore", url, "--no-owner", "--exit-on-error", "--single-transaction", str(copy))


def _run(program: str, url: str, *arguments: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise InvalidOption(
            f"{program} is not installed.",
            hint="Install PostgreSQL's client programs, in the server's version or later.",
            field="database_url",
        )
    address = postgres_url(url)
    named = address.set(drivername="postgresql", password=None).render_as_string()
    # Not an argument: everybody on the machine sees those.
    secret = {} if address.password is None else {"PGPASSWORD": str(address.password)}
    command = [path, f"--dbname={named}", *arguments]
    environment = {**os.environ, **secret}  # noqa: TID251
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise DatabaseUnavailable(
            f"{program} failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}",
            hint="Check that the database runs, and for a restore that it is empty.",
        )
