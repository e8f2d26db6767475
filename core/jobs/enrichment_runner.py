"""Runs the enrichers in a worker, over one track at a time.

Each track's outcome is kept as soon as it is there: a run that begins anew, by another worker, goes
on with the tracks that are missing.
"""

import time
from contextlib import suppress

from core.artifacts.store import JobStore
from core.enrichment.enricher import Enricher, Finding
from core.enrichment.enriching import Carry, EnrichTask, enrich_track, in_process, lacking
from core.enrichment.records import EnrichmentRunStore
from core.enrichment.registry import find_enrichers
from core.enrichment.settings import EnricherSettings
from core.errors import TrackNotFound, WorkerLost
from core.jobs.task_runner import TaskRunner
from core.library.libraries import Libraries
from core.library.library import Library
from core.system.isolation import IsolatedProcess, ProcessLimits
from core.system.storage import Storage
from stemcrate.schemas.enrichment import (
    MAX_FAILED,
    EnricherOutcome,
    EnrichmentRunRecord,
    UnenrichedTrack,
)

SILENCE_S = 1800.0
"""The longest time that an enricher may take for one track."""


class EnrichmentRunner(TaskRunner[EnrichmentRunRecord]):
    """Carries out runs of the enrichers; ``settings`` name those that are switched on."""

    kind = "enrichment"

    def __init__(self, storage: Storage, database_url: str, settings: EnricherSettings) -> None:
        super().__init__(EnrichmentRunStore(storage))
        self._store_of_jobs = JobStore(storage)
        self._libraries = Libraries(storage, database_url)
        self._settings = settings
        self._processes: set[IsolatedProcess] = set()

    def stop(self) -> None:
        """Let no run go on here, and end the enricher's process."""
        super().stop()
        for process in list(self._processes):
            process.close()

    def _carry_out(self, record: EnrichmentRunRecord) -> None:
        """Enrich the tracks. Raises `EnrichmentNotFound` once the attempt is over."""
        enrichers = find_enrichers(self._settings)
        library = self._libraries.of(record.owner)
        track_ids = record.track_ids
        if track_ids is None:
            track_ids = lacking(library, enrichers)
        with self._store.update(record.id, record.attempt) as current:
            # Kept, so that another worker goes on with the same tracks.
            current.track_ids = track_ids
            current.n_tracks = len(track_ids)
            current.n_done = current.n_failed = 0
            current.failed = []
        process = IsolatedProcess(ProcessLimits(silence_s=SILENCE_S))
        self._processes.add(process)
        try:
            for track_id in track_ids:
                self._park_if_stopping()
                outcomes = []
                with suppress(TrackNotFound):  # removed since it was asked for
                    outcomes = [
                        self._enrich(record, library, track_id, enricher, self._carry(process))
                        for enricher in enrichers
                    ]
                self._park_if_stopping()
                self._tell(record, library, track_id, outcomes)
        finally:
            self._processes.discard(process)
            process.close()

    def _enrich(
        self,
        record: EnrichmentRunRecord,
        library: Library,
        track_id: str,
        enricher: type[Enricher],
        carry: Carry,
    ) -> EnricherOutcome:
        """Return the outcome; one of an earlier attempt of this run counts."""
        before = library.enrichment(track_id).outcomes.get(enricher.name)
        if before is not None and before.finished_at >= record.created_at:
            return before
        return enrich_track(
            library,
            track_id,
            enricher,
            self._settings,
            store=self._store_of_jobs,
            carry=carry,
            wait=self._wait,
        )

    def _carry(self, process: IsolatedProcess) -> Carry:
        """Return what carries tasks out; a process that `stop` ended is no failure."""
        carry = in_process(process)

        def unless_stopping(task: EnrichTask) -> Finding:
            try:
                return carry(task)
            except WorkerLost:
                self._park_if_stopping()
                raise

        return unless_stopping

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._park_if_stopping()
            self._stopping.wait(min(left, 1.0))
        self._park_if_stopping()

    def _tell(
        self,
        record: EnrichmentRunRecord,
        library: Library,
        track_id: str,
        outcomes: list[EnricherOutcome],
    ) -> None:
        title = next((track.title for track in library.summaries([track_id])), track_id)
        failed = [
            UnenrichedTrack(track_id=track_id, title=title, enricher=o.enricher, error=o.error)
            for o in outcomes
            if o.error is not None
        ]
        with self._store.update(record.id, record.attempt) as current:
            current.n_done += 1
            current.n_failed += bool(failed)
            current.failed = [*current.failed, *failed][:MAX_FAILED]
