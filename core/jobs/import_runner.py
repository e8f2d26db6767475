"""Runs imports of folders in a worker, one at a time.

Files are read in processes of their own. Tracks are kept as they are added, so an import that
begins anew, by another worker, goes on with the files that are missing.
"""

import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

from dbos import DBOS  # noqa: TID251

from core.analysis.store import FactStore
from core.errors import ImportNotFound, StemcrateError, WorkerLost
from core.jobs.patience import patiently
from core.jobs.queue import ACTIVE, IMPORT_WORKFLOW, PIPELINE_VERSION, JobQueue
from core.jobs.rounds import Rounds
from core.library.intake.importing import ImportReport, SourceFile, import_files
from core.library.intake.listing import Listing, Refusal, list_files
from core.library.libraries import Libraries
from core.library.records.imports import ImportStore
from core.pipeline.outcome import failure_of
from core.system.clock import now
from core.system.logs import work_in_log
from stemcrate.schemas.imports import MAX_REFUSED, ImportRecord
from stemcrate.schemas.library import RefusedFile
from stemcrate.schemas.manifest import JobState

logger = logging.getLogger(__name__)

TELL_S = 0.5
NO_LIMIT = None
"""The engine counts every restart of a worker; attempts are counted in the record."""
MOST_ATTEMPTS = 20
"""Attempts before an import counts as the cause of what ends its workers."""
MISSING_AFTER_S = 60.0
"""An import whose workflow the engine does not know for so long is lost."""


def register_import_workflow(runner: "ImportRunner") -> None:
    """Register the workflow, once in a process, before the engine is launched."""

    @DBOS.workflow(name=IMPORT_WORKFLOW, max_recovery_attempts=NO_LIMIT)
    def import_folder(id: str) -> None:
        DBOS.run_step({"name": "import"}, lambda: runner.run(id))


class ImportRunner:
    """Carries out imports. `run` is for one thread at a time, `stop` for any.

    Parameters
    ----------
    data_dir, database_url : of the library.
    cache_max_bytes : limits the store of known facts.
    n_processes : number of files analysed in parallel.
    """

    def __init__(
        self, data_dir: Path, database_url: str, *, cache_max_bytes: int, n_processes: int
    ) -> None:
        self._data_dir = data_dir.resolve()
        self._libraries = Libraries(data_dir, database_url)
        self._facts = FactStore(data_dir, cache_max_bytes)
        self._n_processes = n_processes
        self._store = ImportStore(data_dir)
        self._stopping = threading.Event()

    def run(self, id: str) -> None:
        """Carry out an import, unless it is over; its record says how it ended.

        Does not return while the worker stops: another worker goes on.
        """
        with work_in_log(id), suppress(ImportNotFound):
            record = self._store.begin(id)
            try:
                self._carry_out(record)
            except ImportNotFound:
                raise
            except StemcrateError as error:
                logger.warning("the import failed: %s", error)
                self._end(record, JobState.FAILED, error)

    def stop(self) -> None:
        """Let no import go on here."""
        self._stopping.set()

    def _carry_out(self, record: ImportRecord) -> None:
        """Import the folder. Raises `ImportNotFound` once the attempt is over."""
        if record.attempt > MOST_ATTEMPTS:
            raise WorkerLost(
                f"Workers ended {MOST_ATTEMPTS} times during this import.",
                hint="Most often the machine ran out of memory; see the worker's log.",
            )
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
        self._end(record, JobState.COMPLETED)

    def _list(self, record: ImportRecord) -> Listing:
        """List the folder's audio files, without those that Stemcrate made itself."""
        found = list_files([Path(record.folder)], within=Path(record.root))
        files = tuple(path for path in found.files if not path.is_relative_to(self._data_dir))
        return Listing(files, found.refusals)

    def _end(
        self, record: ImportRecord, state: JobState, error: StemcrateError | None = None
    ) -> None:
        def end() -> None:
            self._park_if_stopping()
            with self._store.update(record.id, record.attempt) as current:
                current.state = state
                current.error = None if error is None else failure_of(error)
                current.finished_at = now()

        patiently(end)

    def _park_if_stopping(self) -> None:
        # Returning or raising would tell the engine that the import ended; see `StageRunner`.
        if self._stopping.is_set():
            threading.Event().wait()


class _Teller:
    """Writes into the record how far an import has come, at most every `TELL_S`."""

    def __init__(
        self, store: ImportStore, record: ImportRecord, refusals: tuple[Refusal, ...]
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


class ImportSweep(Rounds):
    """Closes imports that nobody carries out any more; every worker may do so at once."""

    subject = "imports"

    def __init__(self, data_dir: Path, queue: JobQueue) -> None:
        self._store = ImportStore(data_dir)
        self._queue = queue

    def round(self) -> None:
        """Close lost imports."""
        waiting = [record for record in self._store.all() if not record.state.is_final]
        states = self._queue.import_states([r.id for r in waiting]) if waiting else {}
        for record in waiting:
            found = states.get(record.id)
            if found is None:
                age_s = time.time() - record.created_at.timestamp()
                is_lost = age_s > MISSING_AFTER_S
            else:
                is_outdated = found.status == "PENDING" and found.app_version != PIPELINE_VERSION
                is_lost = is_outdated or found.status not in ACTIVE
            if is_lost:
                self._close(record)

    def _close(self, record: ImportRecord) -> None:
        logger.warning("closed the import %s, which no worker carries out", record.id)
        lost = WorkerLost("No worker carries out this import any more.", hint="Request it again.")
        with suppress(ImportNotFound), self._store.update(record.id, record.attempt) as current:
            current.state = JobState.FAILED
            current.error = failure_of(lost)
            current.finished_at = now()
