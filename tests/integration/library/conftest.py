"""A library a test, over SQLite and over PostgreSQL; without a server the latter is skipped."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.databases import new_database
from core.library.catalogue.database import open_engine
from core.library.library import Library
from tests.postgres import BOTH_DATABASES


@pytest.fixture(params=BOTH_DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
        return
    with ExitStack() as stack:
        url = stack.enter_context(new_database(request.getfixturevalue("server")))
        yield url
        open_engine(url).dispose()


@pytest.fixture
def library(tmp_path: Path, database_url: str) -> Library:
    return Library(tmp_path / "data", database_url)
