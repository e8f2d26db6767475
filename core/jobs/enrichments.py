"""Runs of the enrichers for the API: request, follow, cancel."""

from collections.abc import Sequence

from core.artifacts.job_ids import new_job_id
from core.enrichment.records import EnrichmentRunStore
from core.errors import InvalidOption
from core.jobs.queue import JobQueue
from core.library.library import Library
from core.system.clock import now
from core.system.storage import Storage
from stemcrate.schemas.enrichment import EnrichmentRunRecord


class EnrichmentService:
    """Runs of an owner: the record says all, the queue triggers execution by a worker.

    ``names`` are those of the enrichers that are switched on.
    """

    def __init__(
        self,
        storage: Storage,
        queue: JobQueue,
        library: Library,
        owner: str,
        names: Sequence[str],
    ) -> None:
        self._queue = queue
        self._library = library
        self._owner = owner
        self._names = names
        self.runs = EnrichmentRunStore(storage, owner)

    def request(self, track_ids: Sequence[str] | None) -> EnrichmentRunRecord:
        """Queue a run over tracks; None: over all that lack a result.

        Raises `InvalidOption`, `TrackNotFound`, `StorageFull`, `DatabaseUnavailable`.
        """
        if not self._names:
            raise InvalidOption(
                "No enricher is switched on in this installation.",
                hint="Its operator can name some: ENRICHERS.",
            )
        for track_id in track_ids or ():
            self._library.summary(track_id)
        record = EnrichmentRunRecord(
            id=new_job_id(),
            owner=self._owner,
            created_at=now(),
            track_ids=None if track_ids is None else list(dict.fromkeys(track_ids)),
        )
        self.runs.keep(record)
        try:
            self._queue.enqueue_task("enrichment", record.id, record.owner)
        except Exception:
            self.runs.remove(record.id)
            raise
        return record
