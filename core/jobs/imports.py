"""Imports of folders on the server for the API: list, request, follow, cancel."""

from collections.abc import Sequence
from pathlib import Path

from core.jobs.queue import JobQueue
from core.library.intake.folders import AllowedFolders
from core.library.records.imports import ImportStore
from core.system.storage import Storage
from stemcrate.schemas.imports import ImportRecord


class ImportService:
    """Imports of an owner: the record says all, the queue triggers execution by a worker.

    ``folders`` are those that may be added.
    """

    def __init__(
        self, storage: Storage, queue: JobQueue, folders: Sequence[Path], owner: str
    ) -> None:
        self._queue = queue
        self.folders = AllowedFolders(folders)
        self.imports = ImportStore(storage, owner)

    def request(self, path: str) -> tuple[ImportRecord, bool]:
        """Return the import of a folder, queued unless one is under way, and whether it is new.

        Raises `FolderNotFound`, `StorageFull`, `DatabaseUnavailable`.
        """
        record, is_new = self.imports.take(self.folders.find(path))
        if is_new:
            try:
                self._queue.enqueue_task("import", record.id, record.owner)
            except Exception:
                self.imports.remove(record.id)
                raise
        return record, is_new
