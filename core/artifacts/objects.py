"""Files in an object store, and their copies in the folder of a process.

An object has the name of its file below DATA_DIR. Whatever is stored under a name never changes:
names hold hashes. A copy has the time of its object, so that it looks the same on every host.

    uploads/{sha256}/audio
    outputs/{job_id}/{first 16 of the SHA-256}/{name of the artefact}
    outputs/{job_id}/manifest.json                                        of jobs that ended
    cache/{sha256}/{key}/…
    renders/{id}/{run}/audio
"""

import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import obstore  # noqa: TID251
from obstore.exceptions import BaseError, NotFoundError  # noqa: TID251
from obstore.store import AzureStore, GCSStore, S3Store, from_url  # noqa: TID251

from core.errors import StorageUnavailable
from core.system.atomic import atomic_path
from core.system.storage import Storage

if TYPE_CHECKING:
    from obstore import ObjectMeta  # noqa: TID251
    from obstore.store import ClientConfig  # noqa: TID251

logger = logging.getLogger(__name__)

CHUNK_BYTES = 4 << 20
LISTED_AT_ONCE = 1000
# Of one request: an upload of 500 MB over a slow line. Broken ones are repeated for three minutes.
TIMEOUT = "10m"
_COPIES = ("uploads", "outputs", "renders")
_ROOM_EVERY_S = 60.0
_STAYS_S = 600.0
"""A copy that was asked for so recently is in use."""
_OLD_S = 86_400.0


class Objects:
    """The objects below one URL, and their copies below one folder. Safe for many threads.

    Every method raises `StorageUnavailable` if the store does not answer, even when asked again.

    Parameters
    ----------
    max_bytes : of all copies; those that were not asked for longest are removed.
    """

    def __init__(self, url: str, folder: Path, max_bytes: int) -> None:
        self._url = url
        self._folder = folder
        self._max_bytes = max_bytes
        self._made_room_at = time.monotonic()
        self._lock = threading.Lock()
        # An endpoint without TLS is the choice of whoever names it: it may be in the same cluster.
        options: ClientConfig = {"timeout": TIMEOUT, "allow_http": True}
        with self._errors():
            self._store = from_url(url, client_options=options)

    def put(self, name: str) -> None:
        """Store a file of the folder under its name, unless it is there."""
        path = self._folder / name
        found = self._head(name)
        if found is None or found["size"] != path.stat().st_size:
            with self._errors():
                obstore.put(self._store, name, path)
            found = self._head(name)
        if found is not None:
            _set_times(path, found)
        self._make_room()

    def put_file(self, name: str, path: Path) -> None:
        """Store a file from anywhere in place of what is there."""
        with self._errors():
            obstore.put(self._store, name, path)

    def put_bytes(self, name: str, data: bytes) -> None:
        """Store bytes in place of what is there."""
        with self._errors():
            obstore.put(self._store, name, data)

    def copy(self, name: str, *, sha256: str | None = None) -> Path:
        """Return the path of an object's copy, fetched where there is none.

        There is no file at that path if there is no such object. A copy whose SHA-256 does not
        begin with the digits given is not kept. Raises `StorageFull`.
        """
        path = self._folder / name
        if path.is_file():
            status = path.stat()
            os.utime(path, ns=(time.time_ns(), status.st_mtime_ns))
            return path
        try:
            with self._errors():
                found = obstore.get(self._store, name)
                with atomic_path(path) as temporary:
                    _write(temporary, found.stream(CHUNK_BYTES), sha256, self._url)
                    _set_times(temporary, found.meta)
        except FileNotFoundError:
            return path
        self._make_room()
        return path

    def read(self, name: str) -> bytes | None:
        """Return an object's bytes, without a copy; None if there is none."""
        try:
            with self._errors():
                return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError:
            return None

    def size(self, name: str) -> int | None:
        """Return the size of an object in bytes; None if there is none."""
        found = self._head(name)
        return None if found is None else found["size"]

    def stream(self, name: str, part: range) -> Iterator[bytes]:
        """Yield a part of an object. Raises FileNotFoundError at once."""
        with self._errors():
            found = obstore.get(self._store, name, options={"range": (part.start, part.stop)})
        return self._chunks(iter(found.stream(CHUNK_BYTES)))

    def address(self, name: str, expires_s: float) -> str | None:
        """Return a URL that anybody can get an object from for a while; None if there are none."""
        if not isinstance(self._store, S3Store | GCSStore | AzureStore):
            return None
        with self._errors():
            return obstore.sign(self._store, "GET", name, timedelta(seconds=expires_s))

    def names(self, folder: str) -> list[str]:
        """List the objects below a folder; all if it is empty."""
        with self._errors():
            listed = obstore.list(self._store, folder or None, chunk_size=LISTED_AT_ONCE)
            return [meta["path"] for found in listed for meta in found]

    def remove_below(self, folder: str) -> None:
        """Remove all objects below a folder; copies stay where they are."""
        names = self.names(folder)
        with self._errors():
            if names:
                obstore.delete(self._store, names)

    def _head(self, name: str) -> "ObjectMeta | None":
        try:
            with self._errors():
                return obstore.head(self._store, name)
        except FileNotFoundError:
            return None

    def _chunks(self, stream: Iterator[bytes]) -> Iterator[bytes]:
        with self._errors():
            for chunk in stream:
                yield bytes(chunk)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (NotFoundError, FileNotFoundError) as error:
            raise FileNotFoundError(str(error)) from error
        except BaseError as error:
            logger.warning("the object store does not answer: %s", error)
            raise StorageUnavailable(
                "The object store does not answer.",
                hint="Try again soon. Check that it runs, and that STORAGE_URL and its credentials "
                "are right.",
            ) from error

    def _make_room(self) -> None:
        """Remove copies beyond the limit, at times."""
        with self._lock:
            if time.monotonic() - self._made_room_at < _ROOM_EVERY_S:
                return
            self._made_room_at = time.monotonic()
        remove_copies(self._folder, self._max_bytes)


@lru_cache
def objects_of(storage: Storage) -> Objects:
    """Return the objects of an installation that shares an object store."""
    return Objects(storage.url, storage.data_dir, storage.copies_max_bytes)


def remove_copies(folder: Path, max_bytes: int) -> None:
    """Remove the copies that were not asked for longest until the rest fits.

    Those of a day go in any case: what they are copies of may have been deleted.
    """
    found = sorted(_copies_below(folder))
    total = sum(n_bytes for _, n_bytes, _ in found)
    now_s = time.time()
    for used_at, n_bytes, path in found:
        is_needed = total <= max_bytes and used_at > now_s - _OLD_S
        if is_needed or used_at > now_s - _STAYS_S:
            return
        path.unlink(missing_ok=True)
        total -= n_bytes


def _copies_below(folder: Path) -> Iterator[tuple[float, int, Path]]:
    for name in _COPIES:
        for parent, folders, files in os.walk(folder / name):
            folders[:] = [found for found in folders if not found.startswith(".")]  # work
            for file in files:
                path = Path(parent, file)
                try:
                    status = path.stat()
                except FileNotFoundError:
                    continue
                yield status.st_atime, status.st_size, path


def _write(path: Path, stream: Iterator[bytes], sha256: str | None, url: str) -> None:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for chunk in stream:
            file.write(chunk)
            digest.update(chunk)
    if sha256 is not None and not digest.hexdigest().startswith(sha256):
        raise StorageUnavailable(
            f"What the object store has of '{path.parent.name}' is not what was stored.",
            hint=f"Check the store: {url.partition('?')[0]}.",
        )


def _set_times(path: Path, found: "ObjectMeta") -> None:
    modified_ns = round(found["last_modified"].timestamp()) * 1_000_000_000
    os.utime(path, ns=(time.time_ns(), modified_ns))
