"""Content-addressed cache of stage results, so that nothing is computed twice.

    cache/{sha256 of the mixture}/{key}/entry.json     what the stage found
    cache/{sha256 of the mixture}/{key}/…              the audio that it wrote

Files are hard-linked where the file system allows it: audio between stages is never changed in
place. The entries of a mixture are removed with the last job that uses it; above a limit in
bytes, the least recently used are removed first.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

if TYPE_CHECKING:
    from core.artifacts.objects import Objects

CACHE = "cache"
ENTRY = "entry.json"


def make_key(parts: Sequence[Any]) -> str:
    """Return the hexadecimal SHA-256 of JSON-serializable values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class StageCache:
    """The cached results below one folder. Safe to use from several processes.

    Parameters
    ----------
    folder : may not exist yet.
    lock : path of the lock file.
    max_bytes : of all entries together; 0 switches the cache off.
    objects : an object store that keeps the entries for other hosts, too; the entries below the
        folder are copies then, and the limit is theirs.
    """

    def __init__(
        self, folder: Path, lock: Path, max_bytes: int, objects: "Objects | None" = None
    ) -> None:
        self._objects = objects
        self._folder = folder
        self._lock_path = lock
        self._max_bytes = max_bytes

    def get(self, mixture: str, key: str, into: Path) -> dict[str, Any] | None:
        """Copy an entry's files into a folder and return what the stage found.

        Return None if there is no such entry; a damaged entry is removed.
        """
        if not self._max_bytes:
            return None
        entry = self._folder / mixture / key
        if self._objects is not None and not (entry / ENTRY).exists():
            self._fetch(self._objects, entry)
        with self._lock():
            if not (entry / ENTRY).exists():
                return None
            into.mkdir(parents=True, exist_ok=True)
            try:
                document: dict[str, Any] = json.loads((entry / ENTRY).read_text())
                for name, n_bytes in document["files"].items():
                    if (entry / name).stat().st_size != n_bytes:
                        raise OSError(f"{name} is not what was kept")
                    _link(entry / name, into / name)
            except (OSError, ValueError, KeyError):
                shutil.rmtree(entry, ignore_errors=True)
                return None
            os.utime(entry / ENTRY)
            found: dict[str, Any] = document["found"]
            return found

    def put(self, mixture: str, key: str, found: Mapping[str, Any], files: Sequence[Path]) -> None:
        """Store a stage's result and the files that it wrote, unless they exceed the limit."""
        sizes = {path.name: path.stat().st_size for path in files}
        if sum(sizes.values()) > self._max_bytes:
            return
        entry = self._folder / mixture / key
        with self._lock():
            temporary = entry.with_name(f".{secrets.token_hex(6)}.part")
            temporary.mkdir(parents=True)
            try:
                for path in files:
                    _link(path, temporary / path.name)
                (temporary / ENTRY).write_text(json.dumps({"files": sizes, "found": found}))
                shutil.rmtree(entry, ignore_errors=True)
                temporary.replace(entry)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
            self._evict()
        if self._objects is not None:
            for name in (*sizes, ENTRY):  # last what says that the entry is whole
                if (entry / name).exists():
                    self._objects.put(self._name(entry / name))

    def forget(self, mixture: str) -> None:
        """Remove every entry of a mixture."""
        if self._objects is not None:
            self._objects.remove_below(f"{CACHE}/{mixture}")
        if (self._folder / mixture).exists():
            with self._lock():
                shutil.rmtree(self._folder / mixture, ignore_errors=True)

    def _fetch(self, objects: "Objects", entry: Path) -> None:
        """Copy an entry of another host, if there is one; last what says that it is whole."""
        document = objects.read(self._name(entry / ENTRY))
        if document is not None:
            for name in json.loads(document)["files"]:
                objects.copy(self._name(entry / name))
            objects.copy(self._name(entry / ENTRY))

    def _name(self, path: Path) -> str:
        return f"{CACHE}/{path.relative_to(self._folder).as_posix()}"

    def _evict(self) -> None:
        """Remove the least recently used entries until the rest fits."""
        entries = sorted(
            (path.parent for path in self._folder.glob(f"*/*/{ENTRY}")),
            key=lambda entry: (entry / ENTRY).stat().st_mtime_ns,
        )
        sizes = [sum(path.stat().st_size for path in entry.iterdir()) for entry in entries]
        total = sum(sizes)
        for entry, n_bytes in zip(entries, sizes, strict=True):
            if total <= self._max_bytes:
                return
            shutil.rmtree(entry, ignore_errors=True)
            with suppress(OSError):  # it holds other entries
                entry.parent.rmdir()
            total -= n_bytes

    def _lock(self) -> FileLock:
        self._lock_path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self._lock_path)


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
