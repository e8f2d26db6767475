"""Uploads and outputs on disk, and the one place that writes manifests.

    uploads/{sha256}/audio                the bytes, once, however many jobs use them
    uploads/{sha256}/jobs/{job_id}        an empty marker for each job that uses them
    downloads/.pack-…/                    staging folder of a DJ pack while it is sent
    outputs/{job_id}/manifest.json        the record
    outputs/{job_id}/…                    artefacts
    outputs/{job_id}/.work/{track}/…      float audio between stages, removed when the job ends
    cache/{sha256}/…                      results of stages, see `core.artifacts.cache`
    locks/                                one lock file per job, and 256 for the uploads

Job ids sort by time (UUIDv7), so a page of the history needs no index.
"""

import errno
import hashlib
import secrets
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import ValidationError

from core.artifacts.cache import StageCache
from core.artifacts.uploads import PART, UploadWriter
from core.errors import ArtefactNotFound, JobNotFound
from core.system.atomic import write_atomically
from core.system.disk import storage_errors
from stemcrate.schemas.manifest import ProcessingManifest

CHUNK_BYTES = 1 << 20
STAGING = ".pack-"  # folders in downloads/ in which packs are made


def new_job_id(at_ms: int | None = None) -> str:
    """Return a new job id: a UUIDv7 (RFC 9562), which sorts by creation time."""
    milliseconds = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    value = (milliseconds & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))


def is_job_id(text: str) -> bool:
    """Return whether ``text`` has the form of a job id; nothing else is used in a path."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


class JobStore:
    """Everything on disk below one data folder. Safe to use from several processes."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.uploads = data_dir / "uploads"
        self.outputs = data_dir / "outputs"
        self.downloads = data_dir / "downloads"
        self._locks = data_dir / "locks"

    def stage_cache(self, max_bytes: int) -> StageCache:
        """Return the cache of stage results, limited to ``max_bytes``."""
        return StageCache(self.data_dir / "cache", self._lock_path("cache"), max_bytes)

    # uploads

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

    def upload_path(self, sha256: str) -> Path:
        """Return the path of uploaded bytes."""
        return self.uploads / sha256 / "audio"

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
            if _modified_at(path) < limit:
                path.unlink(missing_ok=True)

    def remove_abandoned(self, *, older_than_s: float) -> None:
        """Remove staged packs and uploads without a job that a kill left."""
        limit = time.time() - older_than_s
        for path in self.downloads.glob(f"{STAGING}*"):
            if all(_modified_at(found) < limit for found in (path, *path.rglob("*"))):
                shutil.rmtree(path, ignore_errors=True)
        for mark in self.uploads.glob("*/jobs/*"):
            if is_job_id(mark.name) and not self.exists(mark.name) and _modified_at(mark) < limit:
                self.release_upload(mark.parent.parent.name, mark.name)

    # jobs

    @contextmanager
    def hold(self, job_id: str) -> Iterator[None]:
        """Lock a job that runs outside the queue; the lock ends with the process."""
        self._locks.mkdir(parents=True, exist_ok=True)
        with FileLock(self._lock_path(f"{job_id}.run"), timeout=0):
            yield

    def is_held(self, job_id: str) -> bool:
        """Return whether a living process holds a job's lock (`hold`)."""
        try:
            with self.hold(job_id):
                return False
        except Timeout:
            return True

    def create(self, manifest: ProcessingManifest) -> None:
        """Write the first manifest of a job."""
        self._write(manifest)

    def exists(self, job_id: str) -> bool:
        """Return whether the job exists and was not deleted."""
        return is_job_id(job_id) and self._manifest_path(job_id).exists()

    def load(self, job_id: str) -> ProcessingManifest:
        """Read a job's manifest. Raises `JobNotFound`."""
        return ProcessingManifest.model_validate_json(self.read_manifest(job_id))

    def load_if_readable(self, job_id: str) -> ProcessingManifest | None:
        """Read a job's manifest; return None if it is missing or damaged."""
        with suppress(JobNotFound, ValidationError):
            return self.load(job_id)
        return None

    def read_manifest(self, job_id: str) -> bytes:
        """Read a job's manifest as it stands on disk. Raises `JobNotFound`."""
        if is_job_id(job_id):
            with suppress(FileNotFoundError):
                return self._manifest_path(job_id).read_bytes()
        raise JobNotFound(
            f"There is no job '{job_id}'.", hint="GET /jobs lists the jobs that exist."
        )

    @contextmanager
    def update(self, job_id: str) -> Iterator[ProcessingManifest]:
        """Yield the manifest for changes; write it when the block ends without an error.

        Holds the job's lock meanwhile. Raises `JobNotFound`.
        """
        with self._lock(job_id):
            try:
                manifest = self.load(job_id)
            except JobNotFound:
                self._lock_path(job_id).unlink(missing_ok=True)
                raise
            yield manifest
            self._write(manifest)

    def job_ids(self) -> list[str]:
        """List all jobs, newest first."""
        if not self.outputs.exists():
            return []
        return sorted((p.name for p in self.outputs.iterdir() if is_job_id(p.name)), reverse=True)

    def page(self, *, before: str | None, limit: int) -> list[ProcessingManifest]:
        """Read up to ``limit`` manifests of jobs older than ``before``, newest first."""
        manifests: list[ProcessingManifest] = []
        for job_id in self.job_ids():
            if before is not None and job_id >= before:
                continue
            if (manifest := self.load_if_readable(job_id)) is not None:
                manifests.append(manifest)
            if len(manifests) == limit:
                break
        return manifests

    def delete(self, job_id: str) -> None:
        """Remove a job, its outputs, and the uploads that no other job uses."""
        manifest = self.load(job_id)
        with self._lock(job_id):
            self._manifest_path(job_id).unlink(missing_ok=True)
            shutil.rmtree(self.outputs / job_id, onerror=_unless_in_use)
        (self.downloads / f"{job_id}.zip").unlink(missing_ok=True)
        for track in manifest.tracks:
            self.release_upload(track.source.sha256, job_id)
        for key in (job_id, f"{job_id}.run"):
            self._lock_path(key).unlink(missing_ok=True)

    def expired(self, *, older_than_s: float) -> list[str]:
        """List the jobs that ended more than ``older_than_s`` seconds ago."""
        limit = time.time() - older_than_s
        manifests = (self.load_if_readable(job_id) for job_id in self.job_ids())
        ended = ((m.job_id, m.finished_at) for m in manifests if m is not None)
        return [job_id for job_id, at in ended if at is not None and at.timestamp() < limit]

    # files of a job

    def job_folder(self, job_id: str) -> Path:
        """Return the folder that holds a job's manifest and artefacts."""
        return self.outputs / job_id

    def work_folder(self, job_id: str) -> Path:
        """Return the folder for audio between stages."""
        return self.outputs / job_id / ".work"

    def artefact_path(self, job_id: str, name: str) -> Path:
        """Return the path of an artefact that the manifest lists. Raises `ArtefactNotFound`.

        Only listed names become paths, so no request can leave the job's folder.
        """
        manifest = self.load(job_id)
        if all(artefact.name != name for artefact in manifest.all_artefacts()):
            raise ArtefactNotFound(
                f"Job '{job_id}' has no artefact '{name}'.",
                hint=f"GET /job/{job_id}/outputs lists its artefacts.",
            )
        return self.job_folder(job_id) / name

    def remove_work(self, job_id: str) -> None:
        """Remove audio between stages and files that a killed process left incomplete."""
        shutil.rmtree(self.work_folder(job_id), ignore_errors=True)
        if not self.exists(job_id):  # whoever deleted it removes the rest
            return
        # No manifest is written under this lock, but the folder may be removed.
        with self._lock(job_id), suppress(FileNotFoundError):
            for leftover in self.job_folder(job_id).rglob(".*.part"):
                leftover.unlink(missing_ok=True)

    def _manifest_path(self, job_id: str) -> Path:
        return self.outputs / job_id / "manifest.json"

    def _write(self, manifest: ProcessingManifest) -> None:
        data = manifest.model_dump_json(indent=2).encode()
        write_atomically(self._manifest_path(manifest.job_id), data)

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


def _unless_in_use(function: object, path: str, raised: Any) -> None:
    """Ignore files that a worker added or removed meanwhile; that worker removes the rest."""
    error = raised[1]
    if not isinstance(error, FileNotFoundError) and error.errno != errno.ENOTEMPTY:
        raise error


def _modified_at(path: Path) -> float:
    """Return the modification time; the current time for a file that has vanished."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def hash_file(path: Path) -> tuple[str, int]:
    """Return the SHA-256 (hex) and the size in bytes of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return digest.hexdigest(), path.stat().st_size
