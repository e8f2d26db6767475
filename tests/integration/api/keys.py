"""Keys of the tests."""

from collections.abc import Iterable
from typing import Any

from core.access.keys import Scope
from core.access.store import KeyStore
from tests.integration.api.apps import settings_for


def make_key(
    data_dir: Any, owner: str = "anna", scopes: Iterable[str] = tuple(Scope), **changes: Any
) -> str:
    """Make a key of the installation in a folder, and return it as its user has it."""
    store = KeyStore(settings_for(data_dir).resolved_database_url())
    return store.create("test", owner=owner, scopes=set(map(Scope, scopes)), **changes)[1]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
