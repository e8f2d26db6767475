import socket
from collections.abc import Iterator

import pytest

from tests.answering import Server, serve


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port at which nobody listens for the length of the test."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
