"""A library a test, over SQLite and over PostgreSQL; without a server the latter is skipped."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.library.database import open_engine
from core.library.library import Library
from tests.postgres import new_database, running_server


@pytest.fixture(scope="session")
def server() -> Iterator[str | None]:
    with running_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
        return
    server = request.getfixturevalue("server")
    if server is None:
        pytest.skip("no PostgreSQL: install Debian's postgresql, or set a server's address")
    with ExitStack() as stack:
        url = stack.enter_context(new_database(server))
        yield url
        open_engine(url).dispose()


@pytest.fixture
def library(tmp_path: Path, database_url: str) -> Library:
    return Library(tmp_path / "data", database_url)
