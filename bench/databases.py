"""Databases of tests and benchmarks: a PostgreSQL server of their own, and a locked SQLite file."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.processes import held_ports


def find_postgresql() -> str | None:
    """Return the folder of initdb and postgres, which Debian keeps out of PATH."""
    on_path = shutil.which("initdb")
    if on_path:
        return str(Path(on_path).parent)
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return str(found[-1].parent) if found else None


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server of our own, which runs until it is stopped."""

    url: str
    _control: Sequence[str]
    _options: dict[str, Any]

    def start(self) -> None:
        subprocess.run([*self._control, "start"], **self._options)

    def stop(self) -> None:
        """Stop the server at once; sessions break."""
        subprocess.run([*self._control, "-m", "immediate", "stop"], **self._options)


@contextmanager
def own_server() -> Iterator[Server]:
    """Yield a server that may be stopped and started again. PostgreSQL has to be installed."""
    programs = find_postgresql()
    if programs is None:
        raise FileNotFoundError("PostgreSQL is not installed")
    # A server refuses to run as root; Debian's package brings this user.
    owner: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="pg") as folder, held_ports(1) as (port,):
        if owner:
            shutil.chown(folder, **owner)
        data = Path(folder, "data")
        run: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **owner}
        subprocess.run([f"{programs}/initdb", "-D", f"{data}", "-U", "tests", "-A", "trust"], **run)
        settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        control = [
            f"{programs}/pg_ctl",
            "-D",
            f"{data}",
            "-w",
            "-l",
            f"{folder}/log",
            "-o",
            settings,
        ]
        url = f"postgresql+psycopg://tests@127.0.0.1:{port}/postgres"
        server = Server(url, control, run)
        server.start()
        try:
            yield server
        finally:
            if (data / "postmaster.pid").exists():
                server.stop()


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """A database of its own, dropped at the end whoever still has it open."""
    name = f"test_{uuid.uuid4().hex}"
    parsed = sa.make_url(server).set(drivername="postgresql+psycopg")
    admin = sa.create_engine(parsed, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database {name}"))
        try:
            yield parsed.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(sa.text(f"drop database {name} with (force)"))
    admin.dispose()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the write lock of a SQLite file, as a program does that was stopped while it wrote."""
    with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


def is_being_written(path: Path) -> bool:
    """Return whether a process holds the write lock of a SQLite file."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("begin immediate")
        except sqlite3.OperationalError:
            return True
        connection.execute("rollback")
        return False
