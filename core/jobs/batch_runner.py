"""Carries out batches in a worker: makes their jobs, one after the other, cancels and deletes them.

Every step is idempotent, so a batch that another worker begins anew goes on with what is missing.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache, partial

from dbos import DBOS  # noqa: TID251

from core.access.limits import UNLIMITED, OwnerLimits
from core.artifacts.footprint import Footprint
from core.artifacts.incoming import open_incoming
from core.artifacts.resumable import ResumableUploads
from core.artifacts.scanning import Scanner
from core.artifacts.store import JobStore
from core.artifacts.uploads import Upload
from core.audio.reading.prober import Prober
from core.errors import (
    BatchNotFound,
    InvalidAudio,
    JobNotFound,
    QuotaExceeded,
    ScannerUnavailable,
    TrackNotFound,
    UploadBusy,
    UploadIncomplete,
    UploadNotFound,
    UploadTooLarge,
)
from core.jobs.batch_store import BatchRecord, BatchStore
from core.jobs.batch_work import BatchWork, WaitingItem
from core.jobs.examination import examine
from core.jobs.patience import patiently
from core.jobs.progress import ProgressLog
from core.jobs.queue import BATCH_WORKFLOW, JobQueue
from core.jobs.quotas import OwnerQuotas
from core.jobs.rounds import Rounds
from core.jobs.service import JobService
from core.library.intake.uploads import is_kept, send_recording
from core.library.libraries import Libraries
from core.library.library import Library
from core.pipeline.outcome import failure_of
from core.pipeline.pipeline import AudioPipeline
from core.system.logs import work_in_log
from stemcrate.schemas.manifest import JobState

logger = logging.getLogger(__name__)

NO_LIMIT = None
"""The engine counts every restart of a worker; a batch goes on after any number of them."""
AT_ONCE = 50
"""Files that are read from the database at once."""
SCANNER_PAUSE_S = 5.0
NOTE_EVERY_S = 60.0
"""How often ends of jobs are looked for that nobody told: it reads the whole queue."""
REFUSALS = (
    InvalidAudio,
    QuotaExceeded,
    TrackNotFound,
    UploadIncomplete,
    UploadNotFound,
    UploadTooLarge,
)
"""Why there is no job of a file, while the batch goes on."""


def register_batch_workflow(runner: "BatchRunner") -> None:
    """Register the workflow, once in a process, before the engine is launched."""

    @DBOS.workflow(name=BATCH_WORKFLOW, max_recovery_attempts=NO_LIMIT)
    def carry_out_batch(id: str) -> None:
        DBOS.run_step({"name": "batch"}, lambda: runner.run(id))


class BatchRunner:
    """Carries out batches. Safe for several threads.

    Parameters
    ----------
    database_url : of the installation.
    pipeline, queue, log : of this worker, for the jobs of all owners.
    scanner, prober : look into each file before its job.
    limits : of each owner whose batch is limited.
    max_upload_bytes : of a file of the library that has to be copied.
    """

    def __init__(
        self,
        database_url: str,
        pipeline: AudioPipeline,
        queue: JobQueue,
        log: ProgressLog,
        *,
        scanner: Scanner,
        prober: Prober,
        limits: OwnerLimits,
        max_upload_bytes: int,
    ) -> None:
        self._url = database_url
        self._pipeline = pipeline
        self._queue = queue
        self._log = log
        self._scanner = scanner
        self._prober = prober
        self._limits = limits
        self._max_upload_bytes = max_upload_bytes
        self._libraries = Libraries(pipeline.store.storage, database_url)
        self._batches = BatchStore(database_url)
        self._work = BatchWork(database_url)
        self._stopping = threading.Event()
        self._owner = lru_cache(self._make_owner)

    def run(self, id: str) -> None:
        """Bring a batch to the state that is wanted.

        Does not return while the worker stops: another worker goes on.
        """
        with work_in_log(id), suppress(BatchNotFound):
            batch = patiently(lambda: self._batches.get(id))
            owner = self._owner(batch.owner, batch.is_limited)
            if batch.wanted == "run":
                self._make_jobs(batch, owner)
            else:
                self._end_jobs(batch, owner)

    def stop(self) -> None:
        """Let no batch go on here."""
        self._stopping.set()
        self._prober.close()

    def _make_jobs(self, batch: BatchRecord, owner: "_Owner") -> None:
        while waiting := patiently(lambda: self._work.waiting(batch.id, AT_ONCE)):
            for item in waiting:
                self._patiently(partial(self._make_job, batch, owner, item))

    def _make_job(self, batch: BatchRecord, owner: "_Owner", item: WaitingItem) -> None:
        upload: Upload | None = None
        try:
            if not owner.store.exists(item.job_id):  # else a worker died before it noted the job
                upload = owner.claim(item, self._max_upload_bytes)
                path = owner.store.upload_path(upload.sha256)
                owner.quotas.count_audio(examine(self._scanner, self._prober, path, upload))
                self._work.describe(batch.id, item.position, upload.sha256, upload.name)
            uploads = [] if upload is None else [upload]
            owner.jobs.submit(uploads, batch.options, item.job_id)
        except REFUSALS as error:
            if upload is not None:
                owner.store.release_upload(upload.sha256, item.job_id)
            self._park_if_stopping()
            self._work.refuse(batch.id, item.position, failure_of(error))
            return
        if not self._work.created(batch.id, item.position):
            owner.jobs.cancel(item.job_id)
        if item.upload_id is not None:
            with suppress(UploadNotFound, UploadBusy):
                owner.incoming.remove(item.upload_id)

    def _end_jobs(self, batch: BatchRecord, owner: "_Owner") -> None:
        if batch.wanted == "cancel":
            for job_id in patiently(lambda: self._work.open_jobs(batch.id)):
                self._patiently(partial(owner.jobs.cancel, job_id))
            return
        for job_id in patiently(lambda: self._work.all_jobs(batch.id)):
            self._patiently(partial(owner.jobs.delete, job_id))
        patiently(lambda: self._work.remove(batch.id))

    def _patiently(self, work: Callable[[], object]) -> None:
        """Do a step; wait for room, the database and the scanner, and stop with the worker."""

        def step() -> None:
            self._park_if_stopping()
            with suppress(JobNotFound):
                work()

        while True:
            try:
                return patiently(step)
            except ScannerUnavailable as error:
                logger.warning("waiting for the scanner: %s", error)
                self._stopping.wait(SCANNER_PAUSE_S)

    def _make_owner(self, owner: str, is_limited: bool) -> "_Owner":
        store = self._pipeline.store.owned_by(owner)
        pipeline = AudioPipeline(self._pipeline.stages, store, self._pipeline.runtime)
        incoming = open_incoming(store.storage, owner)
        library = self._libraries.of(owner)
        limits = self._limits if is_limited else UNLIMITED
        quotas = OwnerQuotas(owner, self._url, self._queue, Footprint(store, incoming), limits)
        # Without quotas: the batch has places for all its jobs.
        jobs = JobService(store, self._queue, self._log, pipeline, library)
        return _Owner(store, incoming, library, quotas, jobs)

    def _park_if_stopping(self) -> None:
        # Returning or raising would tell the engine that the batch ended; see `StageRunner`.
        if self._stopping.is_set():
            threading.Event().wait()


class _Owner:
    """What belongs to the owner of a batch."""

    def __init__(
        self,
        store: JobStore,
        incoming: ResumableUploads,
        library: Library,
        quotas: OwnerQuotas,
        jobs: JobService,
    ) -> None:
        self.store = store
        self.incoming = incoming
        self.library = library
        self.quotas = quotas
        self.jobs = jobs

    def claim(self, item: WaitingItem, max_bytes: int) -> Upload:
        """Mark a file as used by the job of an item; return it.

        Raises `UploadNotFound`, `UploadIncomplete`, `UploadTooLarge`, `TrackNotFound`.
        """
        if item.upload_id is not None:
            return self.incoming.take(item.upload_id, self.store, item.job_id)
        assert item.sha256 is not None
        name = item.name or item.sha256
        is_marked = self.store.has_upload(item.sha256, item.job_id)  # by the API, or a dead worker
        if is_marked or is_kept(self.store, item.sha256, self.library.owner):
            upload = self.store.share_upload(item.sha256, name, item.job_id)
            if upload is not None:
                return upload
        record = self.library.record(item.sha256)
        return send_recording(self.store, record, item.job_id, max_bytes)


class BatchSweep(Rounds):
    """Looks after batches that nobody carries out; every worker may do so at once."""

    subject = "batches"

    def __init__(self, database_url: str, store: JobStore, queue: JobQueue) -> None:
        self._batches = BatchStore(database_url)
        self._work = BatchWork(database_url)
        self._store = store
        self._queue = queue
        self._noted_at = time.monotonic()

    def round(self) -> None:
        """Queue what an API process wrote and did not queue, and note ends that were not told."""
        unfinished = self._batches.unfinished()
        states = self._queue.batch_states({b.id: b.revision for b in unfinished})
        for batch in unfinished:
            if batch.id not in states:
                self._queue.enqueue_batch(batch.id, batch.revision, batch.owner)
        if unfinished and time.monotonic() - self._noted_at >= NOTE_EVERY_S:
            self._noted_at = time.monotonic()
            self._note_ends([batch.id for batch in unfinished])

    def _note_ends(self, batch_ids: Sequence[str]) -> None:
        open_jobs = {job_id for id in batch_ids for job_id in self._work.open_jobs(id)}
        for job_id in open_jobs - self._queue.running() - set(self._queue.waiting()):
            manifest = self._store.load_if_readable(job_id)
            state = JobState.CANCELLED if manifest is None else manifest.state
            if state.is_final:
                self._work.note(job_id, state)
