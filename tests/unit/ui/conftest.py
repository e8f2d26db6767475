import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config import settings
from tests.unit.ui.answering import Server, serve


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture
def api_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Give a function that points the workbench at an API for one test."""

    def point(url: str) -> str:
        monkeypatch.setenv("API_URL", url)
        settings.cache_clear()
        return url

    yield point
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def unused_port() -> Iterator[Any]:
    """A port at which nobody listens for the length of the test."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
