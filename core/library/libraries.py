"""The libraries of all owners."""

import threading
from pathlib import Path

from core.library.library import Library
from core.system.homes import owners_in


class Libraries:
    """The libraries of one data folder, each opened once. Safe to use from several threads."""

    def __init__(self, data_dir: Path, database_url: str) -> None:
        self._data_dir = data_dir
        self._url = database_url
        self._opened: dict[str, Library] = {}
        self._lock = threading.Lock()

    def owners(self) -> list[str]:
        """List the owners that have something here, `local` first."""
        return owners_in(self._data_dir)

    def of(self, owner: str) -> Library:
        """Return the library of an owner."""
        with self._lock:
            if owner not in self._opened:
                self._opened[owner] = Library(self._data_dir, self._url, owner)
            return self._opened[owner]
