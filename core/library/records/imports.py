"""Imports of folders on disk: what is asked for, and how far it has come.

library/imports/{id}.json
"""

from core.artifacts.job_ids import new_job_id
from core.artifacts.tasks import TaskStore
from core.errors import ImportNotFound
from core.library.intake.folders import FoundFolder
from core.system.clock import now
from stemcrate.schemas.imports import ImportRecord
from stemcrate.schemas.owners import LOCAL


class ImportStore(TaskStore[ImportRecord]):
    """Imports of folders. Safe to use from several threads and processes."""

    schema = ImportRecord
    folder = "library/imports"
    lock = "imports"
    listed_at = "GET /library/imports"
    missing = ImportNotFound

    def take(self, found: FoundFolder) -> tuple[ImportRecord, bool]:
        """Return the import of a folder that is waiting or running, else a new one, and which."""
        with self._locked():
            for record in self.all():
                if record.folder == str(found.folder) and not record.state.is_final:
                    return record, False
            record = ImportRecord(
                id=new_job_id(),
                owner=self._owner or LOCAL,
                path=found.path,
                root=str(found.root),
                folder=str(found.folder),
                created_at=now(),
            )
            self._write_new(record)
            return record, True

    def _reset(self, record: ImportRecord) -> None:
        record.n_done = record.n_added = record.n_known = record.n_refused = 0
        record.refused = []
