"""Uploads and outputs on disk, and the one place that writes manifests.

uploads/{sha256}/audio                the bytes, once, however many jobs use them
uploads/{sha256}/jobs/{job_id}        an empty marker for each job that uses them
uploads/{sha256}/jobs/library…        one for each library that keeps them
incoming/{id}/…                       uploads in parts, see `core.artifacts.resumable`
downloads/.pack-…/                    staging folder of a DJ pack while it is sent
outputs/{job_id}/manifest.json        the record, see `core.artifacts.manifests`
outputs/{job_id}/…                    artefacts
outputs/{job_id}/.work/{track}/…      files between stages (`core.pipeline.attempt_files`)
cache/{sha256}/…                      results of stages, see `core.artifacts.cache`
cache/listening/{id}/…                pieces of lanes, see `core.listening.cache`
renders/{id}/…                        mixes, see `core.artifacts.renders`
locks/                                one lock file per job, and 256 for the uploads
"""

import errno
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import Timeout
from pydantic import ValidationError

from core.artifacts.job_files import OUTPUTS, JobFiles
from core.artifacts.job_ids import is_job_id
from core.artifacts.manifests import FolderManifests, Stamp
from core.artifacts.owners import note_owner
from core.artifacts.renders import RenderStore
from core.artifacts.upload_store import modified_at
from core.errors import ArtefactNotFound, JobNotFound
from core.system.storage import Storage
from stemcrate.schemas.jobs import JobQuery
from stemcrate.schemas.manifest import Artefact, ProcessingManifest

if TYPE_CHECKING:
    from core.artifacts.job_index import ListedJob
    from core.artifacts.shared_tables import DatabaseManifests

CHUNK_BYTES = 1 << 20
STAGING = ".pack-"  # folders in downloads/ in which packs are made


class JobStore(JobFiles):
    """Everything that an installation stores. Safe to use from several processes.

    ``owner``: to whom all jobs belong that this store has; others do not exist here. None: every
    job, whoever it belongs to.
    """

    def __init__(self, place: Path | Storage, owner: str | None = None) -> None:
        super().__init__(place)
        self.owner = owner
        self._manifests = self._open_manifests()
        self.downloads = self.data_dir / "downloads"
        self.listening = self.data_dir / "cache" / "listening"

    def remove_abandoned(self, *, older_than_s: float) -> None:
        """Remove staged packs and uploads without a job that a kill left."""
        limit = time.time() - older_than_s
        for path in self.downloads.glob(f"{STAGING}*"):
            if all(modified_at(found) < limit for found in (path, *path.rglob("*"))):
                shutil.rmtree(path, ignore_errors=True)
        for sha256, mark in self.old_marks(older_than_s=older_than_s):
            if is_job_id(mark) and not self.exists(mark):
                self.release_upload(sha256, mark)

    def owned_by(self, owner: str) -> "JobStore":
        """Return the store with the jobs of one owner alone."""
        store = JobStore(self.storage, owner)
        store._manifests = self._manifests
        return store

    # jobs

    @contextmanager
    def hold(self, job_id: str, *, timeout_s: float = 0.0) -> Iterator[None]:
        """Lock a job that runs outside the queue; the lock ends with the process.

        Raises ``Timeout`` if another process holds it.
        """
        with self.locks.held(f"{job_id}.run", timeout_s=timeout_s):
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
        note_owner(self.storage, manifest.owner)
        self._manifests.write(manifest, _serialize(manifest))

    def exists(self, job_id: str) -> bool:
        """Return whether the job exists and was not deleted."""
        return self._is_ours(job_id) and self._manifests.exists(job_id)

    def stamp(self, job_id: str) -> Stamp:
        """Return what changes with a job's manifest. Raises `JobNotFound`."""
        stamp = self._manifests.stamp(job_id) if self._is_ours(job_id) else None
        if stamp is None:
            raise self._no_job(job_id)
        return stamp

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
        data = self._manifests.read(job_id) if self._is_ours(job_id) else None
        if data is None:
            raise self._no_job(job_id)
        return data

    def written_at(self, job_id: str) -> int | None:
        """Return when a job's manifest was last written (ns); None if there is none."""
        return self._manifests.written_at(job_id)

    @contextmanager
    def update(self, job_id: str) -> Iterator[ProcessingManifest]:
        """Yield the manifest for changes; write them when the block ends without an error.

        Holds the job's lock meanwhile. Raises `JobNotFound`.
        """
        with self.locked(job_id) as manifest:
            before = _serialize(manifest)
            yield manifest
            after = _serialize(manifest)
            if after != before:
                self._manifests.write(manifest, after)

    @contextmanager
    def locked(self, job_id: str) -> Iterator[ProcessingManifest]:
        """Yield the manifest while this process holds the job's lock. Raises `JobNotFound`."""
        self._require_ours(job_id)
        with self._manifests.locked(job_id):
            try:
                manifest = self.load(job_id)
            except JobNotFound:
                self.locks.forget(job_id)
                raise
            yield manifest

    def replace(self, manifest: ProcessingManifest) -> None:
        """Write a manifest instead of what the job has. Raises `JobNotFound`."""
        with self.locked(manifest.job_id):
            self._manifests.write(manifest, _serialize(manifest))

    def job_ids(self) -> list[str]:
        """List all jobs, newest first, also those of which only a part was removed."""
        return [*filter(self._is_ours, self._manifests.ids())]

    def watched(self) -> dict[str, int | None]:
        """Return the jobs that have not ended or have a folder on this host, of all owners.

        The value is the time at which the manifest was written (ns), None if there is none.
        """
        return self._manifests.watched()

    def listed(self) -> dict[str, int]:
        """Return when each job with a readable manifest was last written (ns), newest first."""
        return self._manifests.listed(self.owner)

    def latest_ids(self, limit: int) -> list[str]:
        """List the newest jobs, newest first."""
        return self._manifests.listed_ids(self.owner, limit=limit)

    def find(self, query: JobQuery, *, limit: int) -> "list[ListedJob]":
        """List up to ``limit`` jobs that a query asks for, newest first; no manifest is read."""
        return self._manifests.find(query, self.owner, limit=limit)

    def page(self, *, before: str | None, limit: int) -> list[ProcessingManifest]:
        """Read up to ``limit`` manifests of jobs older than ``before``, newest first."""
        manifests: list[ProcessingManifest] = []
        for job_id in self._manifests.ids():
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
        with self._manifests.locked(job_id):
            self._manifests.remove(job_id)
        if self.job_folder(job_id).exists():
            shutil.rmtree(self.job_folder(job_id), onerror=_unless_in_use)
        if self.objects is not None:
            self.objects.remove_below(f"{OUTPUTS}/{job_id}")
        (self.downloads / f"{job_id}.zip").unlink(missing_ok=True)
        self.forget_listening(job_id)
        RenderStore(self.storage).delete_of(job_id=job_id)
        for track in manifest.tracks:
            self.release_upload(track.source.sha256, job_id)
        for key in (job_id, f"{job_id}.run"):
            self.locks.forget(key)

    def forget_listening(self, owner: str) -> None:
        """Remove what was made for players of a job, or of a track of the library."""
        shutil.rmtree(self.listening / owner, ignore_errors=True)

    def expired(self, *, older_than_s: float) -> list[str]:
        """List the jobs that ended more than ``older_than_s`` seconds ago."""
        return self._manifests.ended_before(time.time() - older_than_s, self.owner)

    def artefact(self, job_id: str, name: str) -> Artefact:
        """Return an artefact that the manifest lists. Raises `ArtefactNotFound`.

        Only listed names become paths, so no request can leave the job's folder.
        """
        artefacts = self.load(job_id).all_artefacts()
        artefact = next((found for found in artefacts if found.name == name), None)
        if artefact is None:
            raise ArtefactNotFound(
                f"Job '{job_id}' has no artefact '{name}'.",
                hint=f"GET /job/{job_id}/outputs lists its artefacts.",
            )
        return artefact

    def _is_ours(self, job_id: str) -> bool:
        """Return whether a job may be looked for here; nothing else is used in a path."""
        if not is_job_id(job_id):
            return False
        if self.owner is None:
            return True
        return self._manifests.owner_of(job_id) == self.owner

    def _require_ours(self, job_id: str) -> None:
        """Leave even the locks of others' jobs alone. Raises `JobNotFound`."""
        if self.owner is not None and not self._is_ours(job_id):
            raise self._no_job(job_id)

    def _open_manifests(self) -> "FolderManifests | DatabaseManifests":
        if self.objects is None:
            return FolderManifests(self.data_dir, self.locks)
        # Imported late: who shares nothing does not wait for SQLAlchemy.
        from core.artifacts.shared_tables import DatabaseManifests

        return DatabaseManifests(self.storage.database_url, self.objects, self.outputs)

    @staticmethod
    def _no_job(job_id: str) -> JobNotFound:
        return JobNotFound(
            f"There is no job '{job_id}'.", hint="GET /jobs lists the jobs that exist."
        )


def _serialize(manifest: ProcessingManifest) -> bytes:
    return manifest.model_dump_json(indent=2).encode()


def _unless_in_use(function: object, path: str, raised: Any) -> None:
    """Ignore files that a worker added or removed meanwhile; that worker removes the rest."""
    error = raised[1]
    if not isinstance(error, FileNotFoundError) and error.errno != errno.ENOTEMPTY:
        raise error
