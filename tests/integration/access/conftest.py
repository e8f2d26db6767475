"""Keys over SQLite and over PostgreSQL; without a server the latter is skipped."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.databases import new_database
from core.access.store import KeyStore
from core.system.database import engine_for
from tests.postgres import BOTH_DATABASES


@pytest.fixture(params=BOTH_DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'keys.sqlite'}"
        return
    with ExitStack() as stack:
        url = stack.enter_context(new_database(request.getfixturevalue("server")))
        yield url
        engine_for(url).dispose()


@pytest.fixture
def keys(database_url: str) -> KeyStore:
    return KeyStore(database_url)
