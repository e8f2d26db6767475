"""Runs ingests of links and lists in a worker.

What was fetched or added stays, so an ingest that begins anew, by another worker, goes on with the
tracks that are missing.
"""

import time
from pathlib import Path

from core.access.limits import UNLIMITED, OwnerLimits
from core.analysis.store import FactStore
from core.artifacts.footprint import Footprint
from core.artifacts.incoming import open_incoming
from core.artifacts.scanning import Scanner
from core.artifacts.upload_store import library_mark
from core.artifacts.uploads import Upload
from core.audio.reading.prober import Prober
from core.errors import InvalidOption, SourceNotFound, StemcrateError
from core.jobs.examination import examine
from core.jobs.progress import ProgressLog
from core.jobs.queue import JobQueue
from core.jobs.quotas import OwnerQuotas
from core.jobs.service import JobService
from core.jobs.task_runner import TaskRunner
from core.library.intake.uploads import send_recording
from core.library.libraries import Libraries
from core.pipeline.pipeline import AudioPipeline
from core.sources.collecting import Check, Collector
from core.sources.ingesting import Told, add, collect, fail
from core.sources.links import Links
from core.sources.records import IngestStore
from core.sources.source import SourceSettings
from stemcrate.schemas.ingests import (
    MAX_FAILED,
    IngestedTrack,
    IngestRecord,
    TrackOutcome,
)

TELL_S = 0.5


class IngestRunner(TaskRunner[IngestRecord]):
    """Carries out ingests.

    Parameters
    ----------
    database_url : of the installation.
    pipeline, queue, log : of this worker, for the jobs of all owners.
    sources : settings of links.
    scanner, prober : look into each file that was fetched.
    limits : of each owner whose ingest is limited.
    cache_max_bytes : limits the store of known facts.
    n_processes : number of files analysed in parallel.
    max_files_per_job : most tracks of a job; those of a playlist beyond it fail.
    """

    kind = "ingest"

    def __init__(
        self,
        database_url: str,
        pipeline: AudioPipeline,
        queue: JobQueue,
        log: ProgressLog,
        *,
        sources: SourceSettings,
        scanner: Scanner,
        prober: Prober,
        limits: OwnerLimits,
        cache_max_bytes: int,
        n_processes: int,
        max_files_per_job: int,
    ) -> None:
        self._store_of_jobs = pipeline.store
        self._ingests = IngestStore(pipeline.store.storage)
        super().__init__(self._ingests)
        self._url = database_url
        self._pipeline = pipeline
        self._queue = queue
        self._log = log
        self._libraries = Libraries(pipeline.store.storage, database_url)
        self._sources = sources
        self._scanner = scanner
        self._prober = prober
        self._limits = limits
        self._facts = FactStore(pipeline.store.data_dir, cache_max_bytes)
        self._n_processes = n_processes
        self._max_files_per_job = max_files_per_job
        self._open_links: set[Links] = set()

    def stop(self) -> None:
        """Let no ingest go on here, and end what is being fetched."""
        super().stop()
        for links in list(self._open_links):
            links.close()
        self._prober.close()

    def _carry_out(self, record: IngestRecord) -> None:
        """Collect the tracks, then add them or submit their job.

        Raises `IngestNotFound` once the attempt is over.
        """
        tracks = self._ingests.tracks(record.id)
        teller = _Teller(self._ingests, record, tracks)

        def told() -> None:
            self._park_if_stopping()
            teller.tell()

        links = Links(self._sources, told)
        self._open_links.add(links)
        try:
            self._collect(record, tracks, links, told)
        finally:
            self._open_links.discard(links)
            links.close()
        told()
        if record.options is not None:
            uploads = self._uploads(record, tracks)
            if not uploads:
                teller.tell(is_last=True)
                raise SourceNotFound("None of the tracks was found.", hint="See each of them.")
            self._jobs_of(record.owner).submit(uploads, record.options, record.id)
        teller.tell(is_last=True)

    def _collect(
        self, record: IngestRecord, tracks: list[IngestedTrack], links: Links, told: Told
    ) -> None:
        library = self._libraries.of(record.owner)
        mark = record.id if record.is_job else library_mark(record.owner)
        collector = Collector(
            library, self._store_of_jobs, links, self._check(record), mark=mark, folder=None
        )
        collector.remove_abandoned()
        for batch in collect(tracks, collector, told):
            if record.is_job:
                for found in batch:
                    found.track.outcome = TrackOutcome.FETCHED
            else:
                add(library, batch, facts=self._facts, n_processes=self._n_processes, told=told)

    def _check(self, record: IngestRecord) -> Check:
        """Return what looks into a fetched file and counts it against its owner's quotas."""
        store = self._store_of_jobs.owned_by(record.owner)
        footprint = Footprint(store, open_incoming(store.storage, record.owner))
        limits = self._limits if record.is_limited else UNLIMITED
        quotas = OwnerQuotas(record.owner, self._url, self._queue, footprint, limits)

        def check(path: Path, upload: Upload) -> None:
            quotas.require_room(upload.n_bytes)
            duration_s = examine(self._scanner, self._prober, path, upload)
            quotas.count_upload(upload.n_bytes)
            quotas.count_audio(duration_s)

        return check

    def _jobs_of(self, owner: str) -> JobService:
        store = self._store_of_jobs.owned_by(owner)
        pipeline = AudioPipeline(self._pipeline.stages, store, self._pipeline.runtime)
        # Without quotas: the job had its place when it was asked for.
        return JobService(store, self._queue, self._log, pipeline, self._libraries.of(owner))

    def _uploads(self, record: IngestRecord, tracks: list[IngestedTrack]) -> list[Upload]:
        """Return the bytes of the tracks for the job of the ingest."""
        library, store = self._libraries.of(record.owner), self._store_of_jobs
        uploads: dict[str, Upload] = {}
        for track in tracks:
            if track.track_id is None or track.outcome == TrackOutcome.FAILED:
                continue
            if len(uploads) == self._max_files_per_job:
                fail(track, InvalidOption(f"A job takes at most {len(uploads)} files."))
                continue
            try:
                upload = store.share_upload(
                    track.track_id, track.name or track.label, record.id
                ) or send_recording(
                    store, library.record(track.track_id), record.id, self._sources.max_bytes
                )
            except StemcrateError as error:
                fail(track, error)
            else:
                uploads[upload.sha256] = upload
        return list(uploads.values())


class _Teller:
    """Writes down how far an ingest has come, at most every `TELL_S`."""

    def __init__(
        self, store: IngestStore, record: IngestRecord, tracks: list[IngestedTrack]
    ) -> None:
        self._store = store
        self._record = record
        self._tracks = tracks
        self._told_at = float("-inf")

    def tell(self, *, is_last: bool = False) -> None:
        """Write where the ingest stands. Raises `IngestNotFound` once it is over."""
        if not is_last and time.monotonic() - self._told_at < TELL_S:
            return
        self._told_at = time.monotonic()
        count = {o: sum(t.outcome == o for t in self._tracks) for o in TrackOutcome}
        failed = [track for track in self._tracks if track.outcome == TrackOutcome.FAILED]
        with self._store.update(self._record.id, self._record.attempt) as current:
            self._store.write_tracks(self._record.id, self._tracks)
            current.n_tracks = len(self._tracks)
            current.n_done = len(self._tracks) - count[TrackOutcome.WAITING]
            current.n_added = count[TrackOutcome.ADDED] + count[TrackOutcome.FETCHED]
            current.n_known = count[TrackOutcome.KNOWN]
            current.n_failed = len(failed)
            current.failed = failed[:MAX_FAILED]
