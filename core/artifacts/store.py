"""Uploads and outputs on disk, and the one place that writes manifests.

    uploads/{sha256}/audio                the bytes, once, however many jobs use them
    uploads/{sha256}/jobs/{job_id}        an empty marker for each job that uses them
    uploads/{sha256}/jobs/library…        one for each library that keeps them
    incoming/{id}/…                       uploads in parts, see `core.artifacts.resumable`
    downloads/.pack-…/                    staging folder of a DJ pack while it is sent
    outputs/{job_id}/manifest.json        the record
    outputs/{job_id}/…                    artefacts
    outputs/{job_id}/.work/{track}/…      files between stages (`core.pipeline.attempt_files`)
    cache/{sha256}/…                      results of stages, see `core.artifacts.cache`
    cache/listening/{id}/…                pieces of lanes, see `core.listening.cache`
    renders/{id}/…                        mixes, see `core.artifacts.renders`
    locks/                                one lock file per job, and 256 for the uploads

Job ids sort by time (UUIDv7), so a page of the history needs no index.
"""

import errno
import secrets
import shutil
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import ValidationError

from core.artifacts.ownership import JobOwners
from core.artifacts.renders import RenderStore
from core.artifacts.upload_store import UploadStore, modified_at
from core.errors import ArtefactNotFound, JobNotFound
from core.system.atomic import write_atomically
from core.system.homes import home_of
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


def age_s(job_id: str) -> float:
    """Return how long ago a job was created, as its id says."""
    return time.time() - (uuid.UUID(job_id).int >> 80) / 1000


def is_job_id(text: str) -> bool:
    """Return whether ``text`` has the form of a job id; nothing else is used in a path."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


class JobStore(UploadStore):
    """Everything on disk below one data folder. Safe to use from several processes.

    ``owner``: to whom all jobs belong that this store has; others do not exist here. None: every
    job, whoever it belongs to.
    """

    def __init__(self, data_dir: Path, owner: str | None = None) -> None:
        super().__init__(data_dir)
        self.owner = owner
        self._owners = JobOwners()
        self.outputs = data_dir / "outputs"
        self.downloads = data_dir / "downloads"
        self.listening = data_dir / "cache" / "listening"

    def remove_abandoned(self, *, older_than_s: float) -> None:
        """Remove staged packs and uploads without a job that a kill left."""
        limit = time.time() - older_than_s
        for path in self.downloads.glob(f"{STAGING}*"):
            if all(modified_at(found) < limit for found in (path, *path.rglob("*"))):
                shutil.rmtree(path, ignore_errors=True)
        for mark in self.uploads.glob("*/jobs/*"):
            if is_job_id(mark.name) and not self.exists(mark.name) and modified_at(mark) < limit:
                self.release_upload(mark.parent.parent.name, mark.name)

    def owned_by(self, owner: str) -> "JobStore":
        """Return the store with the jobs of one owner alone."""
        store = JobStore(self.data_dir, owner)
        store._owners = self._owners
        return store

    # jobs

    @contextmanager
    def hold(self, job_id: str, *, timeout_s: float = 0.0) -> Iterator[None]:
        """Lock a job that runs outside the queue; the lock ends with the process.

        Raises ``Timeout`` if another process holds it.
        """
        self._locks.mkdir(parents=True, exist_ok=True)
        with FileLock(self._lock_path(f"{job_id}.run"), timeout=timeout_s):
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
        home_of(self.data_dir, manifest.owner).mkdir(parents=True, exist_ok=True)
        self._write(manifest)

    def exists(self, job_id: str) -> bool:
        """Return whether the job exists and was not deleted."""
        return self._is_ours(job_id) and self._manifest_path(job_id).exists()

    def stamp(self, job_id: str) -> tuple[int, int]:
        """Return what changes with a job's manifest. Raises `JobNotFound`."""
        if self._is_ours(job_id):
            with suppress(FileNotFoundError):
                stat = self._manifest_path(job_id).stat()
                return stat.st_mtime_ns, stat.st_ino
        raise self._no_job(job_id)

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
        if self._is_ours(job_id):
            with suppress(FileNotFoundError):
                return self._manifest_path(job_id).read_bytes()
        raise self._no_job(job_id)

    def written_at(self, job_id: str) -> int | None:
        """Return when a job's manifest was last written (ns); None if there is none."""
        try:
            return self._manifest_path(job_id).stat().st_mtime_ns
        except FileNotFoundError:
            return None

    @contextmanager
    def update(self, job_id: str) -> Iterator[ProcessingManifest]:
        """Yield the manifest for changes; write them when the block ends without an error.

        Holds the job's lock meanwhile. Raises `JobNotFound`.
        """
        with self.locked(job_id) as manifest:
            before = _serialize(manifest)
            yield manifest
            if _serialize(manifest) != before:
                self._write(manifest)

    @contextmanager
    def locked(self, job_id: str) -> Iterator[ProcessingManifest]:
        """Yield the manifest while this process holds the job's lock. Raises `JobNotFound`."""
        self._require_ours(job_id)
        with self._lock(job_id):
            try:
                manifest = self.load(job_id)
            except JobNotFound:
                self._lock_path(job_id).unlink(missing_ok=True)
                raise
            yield manifest

    def replace(self, manifest: ProcessingManifest) -> None:
        """Write a manifest instead of what the job has. Raises `JobNotFound`."""
        with self.locked(manifest.job_id):
            self._write(manifest)

    def job_ids(self) -> list[str]:
        """List all jobs, newest first."""
        return [*filter(self._is_ours, self._all_ids())]

    def _all_ids(self) -> list[str]:
        """List the jobs of all owners, newest first."""
        if not self.outputs.exists():
            return []
        return sorted((p.name for p in self.outputs.iterdir() if is_job_id(p.name)), reverse=True)

    def page(self, *, before: str | None, limit: int) -> list[ProcessingManifest]:
        """Read up to ``limit`` manifests of jobs older than ``before``, newest first."""
        manifests: list[ProcessingManifest] = []
        for job_id in self._all_ids():
            if before is not None and job_id >= before:
                continue
            if (manifest := self.load_if_readable(job_id)) is not None:
                manifests.append(manifest)
            if len(manifests) == limit:
                break
        return manifests

    def delete(self, job_id: str) -> None:
        """Remove a job, its outputs and renders, and the uploads that no other job uses."""
        manifest = self.load(job_id)
        with self._lock(job_id):
            self._manifest_path(job_id).unlink(missing_ok=True)
            shutil.rmtree(self.outputs / job_id, onerror=_unless_in_use)
        (self.downloads / f"{job_id}.zip").unlink(missing_ok=True)
        self._owners.forget(job_id)
        self.forget_listening(job_id)
        RenderStore(self.data_dir).delete_of(job_id=job_id)
        for track in manifest.tracks:
            self.release_upload(track.source.sha256, job_id)
        for key in (job_id, f"{job_id}.run"):
            self._lock_path(key).unlink(missing_ok=True)

    def forget_listening(self, owner: str) -> None:
        """Remove what was made for players of a job, or of a track of the library."""
        shutil.rmtree(self.listening / owner, ignore_errors=True)

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
        artefacts = self.load(job_id).all_artefacts()
        artefact = next((found for found in artefacts if found.name == name), None)
        if artefact is None:
            raise ArtefactNotFound(
                f"Job '{job_id}' has no artefact '{name}'.",
                hint=f"GET /job/{job_id}/outputs lists its artefacts.",
            )
        return self.job_folder(job_id) / artefact.stored_as

    def _is_ours(self, job_id: str) -> bool:
        """Return whether a job may be looked for here; nothing else is used in a path."""
        if not is_job_id(job_id):
            return False
        if self.owner is None:
            return True
        return self._owners.of(job_id, self._manifest_path(job_id)) == self.owner

    def _require_ours(self, job_id: str) -> None:
        """Leave even the locks of others' jobs alone. Raises `JobNotFound`."""
        if self.owner is not None and not self._is_ours(job_id):
            raise self._no_job(job_id)

    @staticmethod
    def _no_job(job_id: str) -> JobNotFound:
        return JobNotFound(
            f"There is no job '{job_id}'.", hint="GET /jobs lists the jobs that exist."
        )

    def remove_work(self, job_id: str, *, keep: Collection[str] = (), only: str = "*") -> None:
        """Remove the folders of files between stages, and files that a killed process left.

        The caller holds the job's lock (`locked`): no manifest is being written then. The names of
        the folders in ``keep`` stay; ``only`` is a pattern of their names.
        """
        for folder in self.work_folder(job_id).glob(only):
            if folder.name not in keep:
                shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # not empty, or not there
            self.work_folder(job_id).rmdir()
        with suppress(FileNotFoundError):
            for leftover in self.job_folder(job_id).glob(".*.part"):
                leftover.unlink(missing_ok=True)

    def _manifest_path(self, job_id: str) -> Path:
        return self.outputs / job_id / "manifest.json"

    def _write(self, manifest: ProcessingManifest) -> None:
        write_atomically(self._manifest_path(manifest.job_id), _serialize(manifest))


def _serialize(manifest: ProcessingManifest) -> bytes:
    return manifest.model_dump_json(indent=2).encode()


def _unless_in_use(function: object, path: str, raised: Any) -> None:
    """Ignore files that a worker added or removed meanwhile; that worker removes the rest."""
    error = raised[1]
    if not isinstance(error, FileNotFoundError) and error.errno != errno.ENOTEMPTY:
        raise error
