"""One PostgreSQL server a session."""

from collections.abc import Iterator

import pytest

from bench.databases import Server, own_server
from core.system.database import engine_for
from tests.object_store import ObjectStore, running_seaweedfs
from tests.postgres import running_server


@pytest.fixture
def postgres() -> Iterator[Server]:
    """A server of this test's own, which it may stop; tests are marked ``requires``."""
    with own_server() as server:
        yield server
        engine_for(server.url).dispose()


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An object store; tests take a prefix each."""
    with running_seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as store:
        yield store


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with running_server() as url:
        yield url
