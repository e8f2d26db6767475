"""Small records by name: files of a folder, or rows of the database where hosts share one.

A name is that of a file below DATA_DIR, such as ``library/playlists/{id}.json``. A record is whole
or absent.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from core.system.atomic import write_atomically
from core.system.storage import Storage


class Documents(Protocol):
    """Records by name. Safe to use from several threads and processes."""

    def read(self, name: str) -> bytes | None:
        """Return a record; None if there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Write a record in place of the one that is there. Raises `StorageFull`."""

    def remove(self, name: str) -> None:
        """Remove a record, if there is one."""

    def touch(self, name: str) -> None:
        """Note that a record is of use now, if there is one."""

    def touched_at(self, name: str) -> float | None:
        """Return when a record was written or touched (Unix seconds); None if there is none."""

    def names(self, folder: str) -> list[str]:
        """List the records below a folder, in order."""

    def untouched(self, folder: str, since_s: float) -> list[str]:
        """List the records below a folder that were not written or touched since then."""


class FolderDocuments:
    """Records as files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes; None if there is none."""
        with suppress(FileNotFoundError):
            return (self._folder / name).read_bytes()
        return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file. Raises `StorageFull`."""
        write_atomically(self._folder / name, data)

    def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        (self._folder / name).unlink(missing_ok=True)

    def touch(self, name: str) -> None:
        """Set the time of a file to now, if there is one."""
        with suppress(FileNotFoundError):
            (self._folder / name).touch()

    def touched_at(self, name: str) -> float | None:
        """Return the time of a file; None if there is none."""
        with suppress(FileNotFoundError):
            return (self._folder / name).stat().st_mtime
        return None

    def names(self, folder: str) -> list[str]:
        """List the files below a folder, in order, without temporary ones."""
        return sorted(self._names(folder))

    def untouched(self, folder: str, since_s: float) -> list[str]:
        """List the files below a folder that are older (Unix seconds), in order."""
        return [n for n in self.names(folder) if (self.touched_at(n) or since_s) < since_s]

    def _names(self, folder: str) -> Iterator[str]:
        for path in (self._folder / folder).rglob("*"):
            if not path.name.startswith(".") and path.is_file():
                yield path.relative_to(self._folder).as_posix()


@lru_cache
def documents_of(storage: Storage) -> Documents:
    """Return the records that the processes of an installation share."""
    if storage.is_shared:
        # Imported late: who shares nothing does not wait for SQLAlchemy.
        from core.artifacts.shared_tables import DatabaseDocuments

        return DatabaseDocuments(storage.database_url)
    return FolderDocuments(storage.data_dir)
