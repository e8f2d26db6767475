"""Files that were made for players, kept until others need their space.

    cache/listening/{id of the job or track}/{key of the lane}/…

A file is whole or absent, and never changes. The files of a job, or of a track of the library, are
removed with it.
"""

import os
import threading
from contextlib import suppress
from pathlib import Path

_KEPT_SHARE = 0.9  # of the limit, after an eviction, so that the next one is not due at once


class ListeningCache:
    """Keeps the files below one folder under a limit in bytes. Safe for many threads.

    The least recently read files are removed first.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._n_bytes: int | None = None  # counted when first needed

    def path(self, owner: str, key: str, name: str) -> Path:
        """Return where a file is, or belongs."""
        return self._folder / owner / key / name

    def read(self, path: Path) -> bytes | None:
        """Return a file's bytes, and count that as its last use; None if it is not there."""
        try:
            data = path.read_bytes()
            os.utime(path)
        except FileNotFoundError:
            return None
        return data

    def note_added(self, path: Path) -> None:
        """Count a file that was made; remove others where that exceeds the limit."""
        with self._lock, suppress(FileNotFoundError):  # its job was deleted meanwhile
            if self._n_bytes is None:
                self._n_bytes = sum(size for _, size, _ in self._files())
            else:
                self._n_bytes += path.stat().st_size
            if self._n_bytes > self._max_bytes:
                self._n_bytes = self._evict(path)

    def _evict(self, newest: Path) -> int:
        """Remove the least recently read files, but not ``newest``; return the bytes left."""
        files = sorted(self._files())
        n_bytes = sum(size for _, size, _ in files)
        for _, size, path in files:
            if n_bytes <= self._max_bytes * _KEPT_SHARE:
                break
            if path != newest:
                path.unlink(missing_ok=True)
                n_bytes -= size
        return n_bytes

    def _files(self) -> list[tuple[int, int, Path]]:
        """List time of last use in ns, size and path of each file."""
        found = []
        for path in self._folder.glob("*/*/*"):
            try:
                stat = path.stat()
            except FileNotFoundError:  # its job was deleted meanwhile
                continue
            found.append((stat.st_mtime_ns, stat.st_size, path))
        return found
