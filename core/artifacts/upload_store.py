"""Uploads on disk: the bytes once, however many jobs use them, and a marker for each job."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from core.artifacts.cache import StageCache
from core.artifacts.uploads import PART, Upload, UploadWriter
from core.system.disk import storage_errors
from stemcrate.schemas.owners import LOCAL


class UploadStore:
    """The uploads below one data folder, and its locks. Safe to use from several processes."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.uploads = data_dir / "uploads"
        self._locks = data_dir / "locks"

    def stage_cache(self, max_bytes: int) -> StageCache:
        """Return the cache of stage results, limited to ``max_bytes``."""
        return StageCache(self.data_dir / "cache", self._lock_path("cache"), max_bytes)

    def open_upload(self, name: str, max_bytes: int) -> UploadWriter:
        """Start an upload that the client calls ``name``."""
        return UploadWriter(self.uploads, name, max_bytes, self.adopt_upload)

    def adopt_upload(self, path: Path, sha256: str, job_id: str) -> None:
        """Move the file at ``path`` to its place and mark it as used by ``job_id``."""
        with self._lock(f"uploads-{sha256[:2]}"):
            marks = self.uploads / sha256 / "jobs"
            target = self.upload_path(sha256)
            with storage_errors(target):
                marks.mkdir(parents=True, exist_ok=True)
                if not target.exists():
                    path.replace(target)
                (marks / job_id).touch()

    def share_upload(self, sha256: str, name: str, job_id: str) -> Upload | None:
        """Mark bytes that are there as used by ``job_id`` too; return None if they are not."""
        with self._lock(f"uploads-{sha256[:2]}"):
            path = self.upload_path(sha256)
            if not path.is_file():
                return None
            (path.parent / "jobs" / job_id).touch()
            return Upload(sha256, path.stat().st_size, name)

    def upload_path(self, sha256: str) -> Path:
        """Return the path of uploaded bytes."""
        return self.uploads / sha256 / "audio"

    def has_upload(self, sha256: str, job_id: str) -> bool:
        """Return whether these bytes are there and marked as used by the job."""
        mark = self.uploads / sha256 / "jobs" / job_id
        return mark.exists() and self.upload_path(sha256).exists()

    def release_upload(self, sha256: str, job_id: str) -> None:
        """Remove the job's marker from these bytes; delete them when no job uses them."""
        with self._lock(f"uploads-{sha256[:2]}"):
            folder = self.uploads / sha256
            (folder / "jobs" / job_id).unlink(missing_ok=True)
            marks = folder / "jobs"
            if marks.exists() and not any(marks.iterdir()):
                shutil.rmtree(folder)
                self.stage_cache(0).forget(sha256)

    def remove_partial_uploads(self, *, older_than_s: float) -> None:
        """Remove partial uploads that received nothing for so long; a kill left them."""
        limit = time.time() - older_than_s
        for path in self.uploads.glob(f".*{PART}"):
            if modified_at(path) < limit:
                path.unlink(missing_ok=True)

    def _lock_path(self, key: str) -> Path:
        return self._locks / f"{key}.lock"

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        lock = FileLock(self._lock_path(key))
        with storage_errors(self._lock_path(key)):
            self._locks.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


def library_mark(owner: str) -> str:
    """Return what marks uploaded bytes as kept for an owner's library, beside the ids of jobs."""
    return "library" if owner == LOCAL else f"library-{owner}"


def modified_at(path: Path) -> float:
    """Return the modification time; the current time for a file that has vanished."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
