import socket

import pytest

from config import settings
from tests.unit.ui.answering import serve


@pytest.fixture
def server():
    with serve() as running:
        yield running


@pytest.fixture
def api_url(monkeypatch):
    """Give a function that points the workbench at an API for one test."""

    def point(url: str) -> str:
        monkeypatch.setenv("API_URL", url)
        settings.cache_clear()
        return url

    yield point
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def unused_port():
    """A port at which nobody listens for the length of the test."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
