"""Manifests in the folders of their jobs, and the list of jobs that is made from them.

    outputs/{job_id}/manifest.json    the record
    jobs.sqlite                       the list, which can be made again at any time

The list follows every manifest that is written here. What others change, such as another version
of Stemcrate or somebody who removes a folder by hand, is found when the list is read: by the time
of the folder `outputs`, and by those of the manifests on a page.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from core.artifacts.job_ids import is_job_id
from core.errors import DatabaseUnavailable
from core.system.atomic import write_atomically
from core.system.disk import create_data_dir
from core.system.locks import Locks
from stemcrate.schemas.jobs import JobQuery
from stemcrate.schemas.manifest import ProcessingManifest
from stemcrate.schemas.owners import LOCAL

if TYPE_CHECKING:
    from core.artifacts.job_index import JobIndex, ListedJob

logger = logging.getLogger(__name__)

LIST = "jobs.sqlite"
ENTERED_AT_ONCE = 100
_DAMAGED = ("malformed", "not a database")
"""What SQLite says of a file that a power cut left half written."""
Stamp = tuple[int, int]


class _Owned(BaseModel):
    owner: str = LOCAL


class FolderManifests:
    """The manifests below one data folder. Safe to use from several processes."""

    def __init__(self, data_dir: Path, locks: Locks) -> None:
        self._locks = locks
        self._outputs = data_dir / "outputs"
        self._list_path = data_dir / LIST
        self._owners: dict[str, str] = {}
        self._opened: JobIndex | None = None
        self._followed_ns: int | None = None

    def read(self, job_id: str) -> bytes | None:
        """Return a manifest as it was written; None if there is none."""
        with suppress(FileNotFoundError):
            return self._path(job_id).read_bytes()
        return None

    def exists(self, job_id: str) -> bool:
        """Return whether there is a manifest."""
        return self._path(job_id).exists()

    def stamp(self, job_id: str) -> Stamp | None:
        """Return what changes with a manifest; None if there is none."""
        with suppress(FileNotFoundError):
            stat = self._path(job_id).stat()
            return stat.st_mtime_ns, stat.st_ino
        return None

    def written_at(self, job_id: str) -> int | None:
        """Return when a manifest was last written (ns); None if there is none."""
        stamp = self.stamp(job_id)
        return stamp and stamp[0]

    def owner_of(self, job_id: str) -> str | None:
        """Return the owner of a job, who never changes; None if there is none to read."""
        known = self._owners.get(job_id)
        if known is not None:
            return known
        try:
            owner = _Owned.model_validate_json(self._path(job_id).read_bytes()).owner
        except (OSError, ValidationError):
            return None
        self._owners[job_id] = owner
        return owner

    @contextmanager
    def locked(self, job_id: str) -> Iterator[None]:
        """Hold the lock of a job."""
        with self._locks.held(job_id):
            yield

    def write(self, manifest: ProcessingManifest, data: bytes) -> None:
        """Write a manifest. The caller holds the job's lock, or has just made its id."""
        write_atomically(self._path(manifest.job_id), data)
        written_ns = self.written_at(manifest.job_id)
        if written_ns is not None:
            with suppress(DatabaseUnavailable):  # found when the list is read
                self._list().put([(manifest, written_ns)])

    def remove(self, job_id: str) -> None:
        """Remove a manifest, if it is there. The caller holds the job's lock."""
        self._path(job_id).unlink(missing_ok=True)
        self._owners.pop(job_id, None)
        with suppress(DatabaseUnavailable):
            self._list().remove([job_id])

    def ids(self) -> list[str]:
        """List the jobs of all owners, newest first."""
        if not self._outputs.exists():
            return []
        return sorted((p.name for p in self._outputs.iterdir() if is_job_id(p.name)), reverse=True)

    def watched(self) -> dict[str, int | None]:
        """Return when the manifest of each job was written, None for a folder without one."""
        return {job_id: self.written_at(job_id) for job_id in self.ids()}

    def listed(self, owner: str | None) -> dict[str, int]:
        """Return when each job of an owner, or of all, was last written (ns), newest first."""
        return self._followed().written(owner)

    def listed_ids(self, owner: str | None, *, limit: int | None = None) -> list[str]:
        """List the jobs of an owner, or of all, that have readable manifests, newest first."""
        return self._followed().ids(owner, limit=limit)

    def ended_before(self, at_s: float, owner: str | None) -> list[str]:
        """List the jobs that ended before a time (Unix seconds)."""
        return self._followed().ended_before(at_s, owner)

    def find(self, query: JobQuery, owner: str | None, *, limit: int) -> "list[ListedJob]":
        """List up to ``limit`` jobs that a query asks for, newest first."""
        index = self._followed()
        while True:
            found = index.find(query, owner, limit=limit)
            stale = [
                listed.summary.job_id
                for listed in found
                if self.written_at(listed.summary.job_id) != listed.written_ns
            ]
            if not stale:
                return found
            self._enter(index, stale)

    def _list(self) -> "JobIndex":
        """Return the list, made if it is not there."""
        if self._opened is None:
            # Imported late: commands that read no list do not wait for SQLAlchemy.
            from core.artifacts.job_index import JobIndex
            from core.system.database import unflushed_engine

            create_data_dir(self._list_path.parent)
            index = JobIndex(unflushed_engine(self._list_path.resolve()))
            index.create(anew=not self._list_path.exists())
            self._opened = index
        return self._opened

    def _followed(self) -> "JobIndex":
        """Return the list, with a row for each folder of a job."""
        try:
            return self._follow()
        except DatabaseUnavailable as error:
            if not any(words in str(error.__cause__) for words in _DAMAGED):
                raise
            logger.warning("the list of jobs is damaged and made again: %s", error.__cause__)
            self._list_path.unlink(missing_ok=True)
            self._opened = self._followed_ns = None
            return self._follow()

    def _follow(self) -> "JobIndex":
        index = self._list()
        try:
            changed_ns = self._outputs.stat().st_mtime_ns
        except FileNotFoundError:
            changed_ns = None
        if changed_ns is None or changed_ns != self._followed_ns:
            listed, there = set(index.ids()), set(self.ids())
            index.remove(listed - there)
            self._enter(index, there - listed)
            self._followed_ns = changed_ns
        return index

    def _enter(self, index: "JobIndex", job_ids: Iterable[str]) -> None:
        """Read manifests and enter what they say; what cannot be read is not listed."""
        entered: list[tuple[ProcessingManifest, int]] = []
        missing: list[str] = []
        for job_id in job_ids:
            written_ns, data = self.written_at(job_id), self.read(job_id)
            try:
                manifest = ProcessingManifest.model_validate_json(data or b"")
            except ValidationError:
                missing.append(job_id)
            else:
                entered.append((manifest, written_ns or 0))
            if len(entered) == ENTERED_AT_ONCE:
                index.put(entered)
                entered = []
        index.put(entered)
        index.remove(missing)

    def _path(self, job_id: str) -> Path:
        return self._outputs / job_id / "manifest.json"
