"""An installation a test: over SQLite, or over PostgreSQL when a server is named."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.jobs.database import engine_for, postgres_url
from tests.integration.jobs.installation import Installation, installation_in

SERVER = os.environ.get("STEMCRATE_TEST_DATABASE_URL")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    if SERVER is None:
        with installation_in(tmp_path) as installation:
            yield installation
        return
    with new_database(SERVER) as url, installation_in(tmp_path, url) as installation:
        yield installation


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """A database of its own on a PostgreSQL server, dropped at the end."""
    name = f"test_{uuid.uuid4().hex}"
    admin = sa.create_engine(postgres_url(server), isolation_level="AUTOCOMMIT")
    url = postgres_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database {name}"))
        try:
            yield url
        finally:
            engine_for(url).dispose()
            connection.execute(sa.text(f"drop database {name} with (force)"))
    admin.dispose()
