"""An installation a test: over SQLite, and over PostgreSQL where a test is marked so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.databases import new_database
from core.system.database import engine_for
from tests.integration.jobs.installation import Installation, installation_in


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    if getattr(request, "param", "sqlite") == "sqlite":
        with installation_in(tmp_path) as installation:
            yield installation
        return
    with new_database(request.getfixturevalue("server")) as url:
        with installation_in(tmp_path, url) as installation:
            yield installation
        engine_for(url).dispose()
