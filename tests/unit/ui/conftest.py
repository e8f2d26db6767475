from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ui.settings import api_address


@pytest.fixture
def api_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Give a function that points the workbench at an API for one test."""

    def point(url: str) -> str:
        monkeypatch.setenv("API_URL", url)
        api_address.cache_clear()
        return url

    yield point
    monkeypatch.undo()
    api_address.cache_clear()
