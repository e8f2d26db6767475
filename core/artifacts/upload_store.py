"""Uploads: the bytes once, however many jobs use them, and a marker for each job."""

import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from core.artifacts.cache import StageCache
from core.artifacts.documents import documents_of
from core.artifacts.uploads import PART, Upload, UploadWriter
from core.system.disk import storage_errors
from core.system.locks import locks_of
from core.system.storage import Storage
from stemcrate.schemas.owners import LOCAL

if TYPE_CHECKING:
    from core.artifacts.objects import Objects

UPLOADS = "uploads"


class UploadStore:
    """The uploads of an installation, and its locks. Safe to use from several processes."""

    def __init__(self, place: Path | Storage) -> None:
        self.storage = Storage.at(place)
        self.data_dir = self.storage.data_dir
        self.uploads = self.data_dir / UPLOADS
        self.locks = locks_of(self.storage)
        self._documents = documents_of(self.storage)

    @property
    def objects(self) -> "Objects | None":
        """The object store; None where files are in the data folder alone."""
        if not self.storage.is_shared:
            return None
        # Imported late: who shares nothing does not wait for the client of object stores.
        from core.artifacts.objects import objects_of

        return objects_of(self.storage)

    def stage_cache(self, max_bytes: int) -> StageCache:
        """Return the cache of stage results, limited to ``max_bytes``."""
        lock = self.data_dir / "locks" / "cache.lock"
        return StageCache(self.data_dir / "cache", lock, max_bytes, self.objects)

    def open_upload(self, name: str, max_bytes: int) -> UploadWriter:
        """Start an upload that the client calls ``name``."""
        return UploadWriter(self.uploads, name, max_bytes, self.adopt_upload)

    def adopt_upload(self, path: Path, sha256: str, job_id: str) -> None:
        """Move the file at ``path`` to its place and mark it as used by ``job_id``."""
        target = self.upload_place(sha256)
        with self._held(sha256), storage_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                path.replace(target)
            self._mark(sha256, job_id)
        if self.objects is not None:
            self.objects.put(_name(sha256))  # the mark protects it

    def share_upload(self, sha256: str, name: str, job_id: str) -> Upload | None:
        """Mark bytes that are there as used by ``job_id`` too; return None if they are not."""
        with self._held(sha256):
            n_bytes = self._size(sha256)
            if n_bytes is None:
                return None
            self._mark(sha256, job_id)
            return Upload(sha256, n_bytes, name)

    def upload_path(self, sha256: str) -> Path:
        """Return the path of uploaded bytes, fetched where they are not on this host.

        There is no file at that path if there are no such bytes.
        """
        if self.objects is None:
            return self.upload_place(sha256)
        return self.objects.copy(_name(sha256), sha256=sha256)

    def upload_place(self, sha256: str) -> Path:
        """Return where uploaded bytes are once they are on this host."""
        return self.data_dir / _name(sha256)

    def is_uploaded(self, sha256: str) -> bool:
        """Return whether these bytes are there."""
        return self._size(sha256) is not None

    def has_upload(self, sha256: str, job_id: str) -> bool:
        """Return whether these bytes are there and marked as used by the job."""
        is_marked = self._documents.touched_at(_mark_name(sha256, job_id)) is not None
        return is_marked and self.is_uploaded(sha256)

    def upload_marks(self, sha256: str) -> list[str]:
        """List the jobs and libraries that use uploaded bytes."""
        return [name.rpartition("/")[2] for name in self._documents.names(_marks(sha256))]

    def release_upload(self, sha256: str, job_id: str) -> None:
        """Remove the job's marker from these bytes; delete them when no job uses them."""
        with self._held(sha256):
            self._documents.remove(_mark_name(sha256, job_id))
            folder = self.uploads / sha256
            if sha256 and not self._documents.names(_marks(sha256)):
                if folder.exists():
                    shutil.rmtree(folder)
                if self.objects is not None:
                    self.objects.remove_below(f"{UPLOADS}/{sha256}")
                self.stage_cache(0).forget(sha256)

    def remove_partial_uploads(self, *, older_than_s: float) -> None:
        """Remove partial uploads that received nothing for so long; a kill left them."""
        limit = time.time() - older_than_s
        for path in self.uploads.glob(f".*{PART}"):
            if modified_at(path) < limit:
                path.unlink(missing_ok=True)

    def old_marks(self, *, older_than_s: float) -> Iterator[tuple[str, str]]:
        """Yield the SHA-256 and the name of markers that are so old."""
        for name in self._documents.untouched(UPLOADS, time.time() - older_than_s):
            _, sha256, folder, *mark = name.split("/")
            if folder == "jobs":
                yield sha256, mark[0]

    def _size(self, sha256: str) -> int | None:
        if self.objects is not None:
            return self.objects.size(_name(sha256))
        path = self.upload_place(sha256)
        return path.stat().st_size if path.is_file() else None

    def _mark(self, sha256: str, job_id: str) -> None:
        self._documents.write(_mark_name(sha256, job_id), b"")

    def _held(self, sha256: str) -> AbstractContextManager[None]:
        return self.locks.held(f"uploads-{sha256[:2]}")


def _name(sha256: str) -> str:
    return f"{UPLOADS}/{sha256}/audio"


def _marks(sha256: str) -> str:
    return f"{UPLOADS}/{sha256}/jobs"


def _mark_name(sha256: str, job_id: str) -> str:
    return f"{_marks(sha256)}/{job_id}"


def library_mark(owner: str) -> str:
    """Return what marks uploaded bytes as kept for an owner's library, beside the ids of jobs."""
    return "library" if owner == LOCAL else f"library-{owner}"


def modified_at(path: Path) -> float:
    """Return the modification time; the current time for a file that has vanished."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
