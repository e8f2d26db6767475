"""Runs imports of folders in a worker, one at a time.

Files are read in processes of their own. Tracks are kept as they are added, so an import that
begins anew, by another worker, goes on with the files that are missing.
"""

import time
from pathlib import Path

from core.analysis.store import FactStore
from core.artifacts.tasks import TaskStore
from core.jobs.task_runner import TaskRunner
from core.library.intake.importing import ImportReport, SourceFile, import_files
from core.library.intake.listing import Listing, Refusal, list_files
from core.library.libraries import Libraries
from core.library.records.imports import ImportStore
from core.system.storage import Storage
from stemcrate.schemas.imports import MAX_REFUSED, ImportRecord
from stemcrate.schemas.library import RefusedFile

TELL_S = 0.5


class ImportRunner(TaskRunner[ImportRecord]):
    """Carries out imports.

    Parameters
    ----------
    storage, database_url : of the library.
    cache_max_bytes : limits the store of known facts.
    n_processes : number of files analysed in parallel.
    """

    kind = "import"

    def __init__(
        self, storage: Storage, database_url: str, *, cache_max_bytes: int, n_processes: int
    ) -> None:
        super().__init__(ImportStore(storage))
        self._data_dir = storage.data_dir.resolve()
        self._libraries = Libraries(storage, database_url)
        self._facts = FactStore(storage.data_dir, cache_max_bytes)
        self._n_processes = n_processes

    def _carry_out(self, record: ImportRecord) -> None:
        """Import the folder. Raises `ImportNotFound` once the attempt is over."""
        listing = self._list(record)
        with self._store.update(record.id, record.attempt) as current:
            current.n_files = len(listing.files)
        teller = _Teller(self._store, record, listing.refusals)
        report = ImportReport()

        def progress(n_done: int, _n_all: int, _name: str) -> None:
            self._park_if_stopping()
            teller.tell(n_done, report)

        sources = [SourceFile(path, path.name) for path in listing.files]
        import_files(
            self._libraries.of(record.owner),
            sources,
            store=self._facts,
            n_processes=min(self._n_processes, max(1, len(sources))),
            progress=progress,
            report=report,
        )
        self._park_if_stopping()
        teller.tell(len(sources), report, is_last=True)

    def _list(self, record: ImportRecord) -> Listing:
        """List the folder's audio files, without those that Stemcrate made itself."""
        found = list_files([Path(record.folder)], within=Path(record.root))
        files = tuple(path for path in found.files if not path.is_relative_to(self._data_dir))
        return Listing(files, found.refusals)


class _Teller:
    """Writes into the record how far an import has come, at most every `TELL_S`."""

    def __init__(
        self, store: TaskStore[ImportRecord], record: ImportRecord, refusals: tuple[Refusal, ...]
    ) -> None:
        self._store = store
        self._record = record
        self._refusals = list(refusals)
        self._told_at = float("-inf")

    def tell(self, n_done: int, report: ImportReport, *, is_last: bool = False) -> None:
        """Write where the import stands. Raises `ImportNotFound` once it is over."""
        if not is_last and time.monotonic() - self._told_at < TELL_S:
            return
        self._told_at = time.monotonic()
        refused = [*self._refusals, *report.refused]
        with self._store.update(self._record.id, self._record.attempt) as current:
            current.n_done = n_done
            current.n_added = len(report.added)
            current.n_known = len(report.known)
            current.n_refused = len(refused)
            current.refused = [self._describe(refusal) for refusal in refused[:MAX_REFUSED]]

    def _describe(self, refusal: Refusal) -> RefusedFile:
        """Name a refused file from the allowed folder on: what is above stays on the server."""
        error, record = refusal.error, self._record
        shown = record.path.partition("/")[0]
        path = Path(refusal.path)
        inside = path.is_relative_to(record.root)
        name = str(Path(shown) / path.relative_to(record.root)) if inside else path.name
        detail = error.message.replace(refusal.path, name)
        return RefusedFile(name=name, code=error.code, detail=detail, hint=error.hint)
