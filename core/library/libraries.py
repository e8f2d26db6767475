"""The libraries of all owners."""

import threading
from pathlib import Path

from core.artifacts.owners import owners_of
from core.library.library import Library
from core.system.storage import Storage


class Libraries:
    """The libraries of an installation, each opened once. Safe to use from several threads."""

    def __init__(self, place: Path | Storage, database_url: str) -> None:
        self._storage = Storage.at(place)
        self._url = database_url
        self._opened: dict[str, Library] = {}
        self._lock = threading.Lock()

    def owners(self) -> list[str]:
        """List the owners that have something here, `local` first."""
        return owners_of(self._storage)

    def of(self, owner: str) -> Library:
        """Return the library of an owner."""
        with self._lock:
            if owner not in self._opened:
                self._opened[owner] = Library(self._storage, self._url, owner)
            return self._opened[owner]
