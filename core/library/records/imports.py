"""Imports of folders on disk: what is asked for, and how far it has come.

library/imports/{id}.json
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock
from pydantic import ValidationError

from core.artifacts.store import is_job_id, new_job_id
from core.errors import ImportNotFound
from core.library.intake.folders import FoundFolder
from core.system.atomic import write_atomically
from core.system.clock import now
from stemcrate.schemas.imports import ImportRecord
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.owners import LOCAL

N_KEPT = 50


class ImportStore:
    """Imports of folders. Safe to use from several threads and processes.

    ``owner``: to whose library all lead that this store has; None: every import.
    """

    def __init__(self, data_dir: Path, owner: str | None = None) -> None:
        self._owner = owner
        self._folder = data_dir / "library" / "imports"
        self._lock_path = data_dir / "locks" / "imports.lock"

    def take(self, found: FoundFolder) -> tuple[ImportRecord, bool]:
        """Return the import of a folder that is waiting or running, else a new one, and which.

        Of those that have ended, the last `N_KEPT` are kept.
        """
        with self._lock():
            records = self.all()
            for record in records:
                if record.folder == str(found.folder) and not record.state.is_final:
                    return record, False
            for record in [r for r in records if r.state.is_final][N_KEPT - 1 :]:
                self._path(record.id).unlink(missing_ok=True)
            record = ImportRecord(
                id=new_job_id(),
                owner=self._owner or LOCAL,
                path=found.path,
                root=str(found.root),
                folder=str(found.folder),
                created_at=now(),
            )
            self._write(record)
            return record, True

    def load(self, id: str) -> ImportRecord:
        """Read a record. Raises `ImportNotFound`."""
        if is_job_id(id):
            with suppress(FileNotFoundError, ValidationError):
                record = ImportRecord.model_validate_json(self._path(id).read_bytes())
                if self._owner in (None, record.owner):
                    return record
        raise ImportNotFound(
            f"There is no import '{id[:100]}'.", hint="GET /library/imports lists the last ones."
        )

    def all(self) -> list[ImportRecord]:
        """Read every record, newest first."""
        records = []
        for path in sorted(self._folder.glob("[!.]*.json"), reverse=True):
            with suppress(ImportNotFound):
                records.append(self.load(path.stem))
        return records

    def begin(self, id: str) -> ImportRecord:
        """Record a new attempt at an import. Raises `ImportNotFound` if it has ended."""

        def begun(record: ImportRecord) -> None:
            record.attempt += 1
            record.state = JobState.RUNNING
            record.started_at = now()
            record.n_done = record.n_added = record.n_known = record.n_refused = 0
            record.refused = []

        return self._change(id, begun)

    @contextmanager
    def update(self, id: str, attempt: int) -> Iterator[ImportRecord]:
        """Yield the record of an attempt; write it when the block succeeds.

        Raises `ImportNotFound` if it has ended or was begun anew.
        """
        with self._lock():
            record = self._open(id)
            if record.attempt != attempt:
                raise _over(id)
            yield record
            self._write(record)

    def cancel(self, id: str) -> ImportRecord:
        """Cancel an import; one that has ended stays as it is. Raises `ImportNotFound`."""
        if self.load(id).state.is_final:
            return self.load(id)

        def cancelled(record: ImportRecord) -> None:
            record.state = JobState.CANCELLED
            record.finished_at = now()

        with suppress(ImportNotFound):  # it has ended meanwhile
            return self._change(id, cancelled)
        return self.load(id)

    def remove(self, id: str) -> None:
        """Remove a record, if it is there."""
        self._path(id).unlink(missing_ok=True)

    def _change(self, id: str, change: Callable[[ImportRecord], None]) -> ImportRecord:
        with self._lock():
            record = self._open(id)
            change(record)
            self._write(record)
            return record

    def _open(self, id: str) -> ImportRecord:
        record = self.load(id)
        if record.state.is_final:
            raise _over(id)
        return record

    def _write(self, record: ImportRecord) -> None:
        write_atomically(self._path(record.id), record.model_dump_json(indent=1).encode())

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.json"

    def _lock(self) -> FileLock:
        self._lock_path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self._lock_path)


def _over(id: str) -> ImportNotFound:
    return ImportNotFound(f"The import '{id}' is over.")
