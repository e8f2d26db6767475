"""A PostgreSQL server of the tests' own: a temporary cluster on a free port, gone at the end."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.processes import held_ports
from tests.programs import POSTGRES_VARIABLE, find_postgresql, requires

# Parameters of tests that run over either.
BOTH_DATABASES = ["sqlite", pytest.param("postgresql", marks=requires("postgresql"))]


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
def running_server() -> Iterator[str]:
    """Yield the URL of a server: the one that the environment names, else one of our own.

    Tests that use it are marked ``requires("postgresql")``.
    """
    named = os.environ.get(POSTGRES_VARIABLE)
    if named:
        yield named
        return
    with own_server() as server:
        yield server.url


@contextmanager
def own_server() -> Iterator[Server]:
    """Yield a server that a test may stop and start again."""
    programs = find_postgresql()
    assert programs is not None
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
