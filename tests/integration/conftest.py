"""One PostgreSQL server a session; None where none is installed nor named."""

from collections.abc import Iterator

import pytest

from tests.postgres import running_server


@pytest.fixture(scope="session")
def server() -> Iterator[str | None]:
    with running_server() as url:
        yield url
