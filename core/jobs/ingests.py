"""Ingests for the API: request, follow, cancel."""

from core.artifacts.job_ids import new_job_id
from core.errors import InvalidOption
from core.jobs.queue import JobQueue
from core.jobs.quotas import OwnerQuotas
from core.net.outgoing import parse_url
from core.sources.lists.format import BUCKETS
from core.sources.lists.reading import read_list
from core.sources.records import IngestStore
from core.system.clock import now
from core.system.storage import Storage
from stemcrate.schemas.ingests import IngestedTrack, IngestRecord, IngestRequest
from stemcrate.schemas.options import ProcessingOptions

_MAX_NAME = 200


class IngestService:
    """Ingests of an owner: the record says all, the queue triggers execution by a worker.

    ``is_limited``: the owner's quotas hold. ``max_files_per_job``: the most tracks of a job.
    """

    def __init__(
        self,
        storage: Storage,
        queue: JobQueue,
        owner: str,
        quotas: OwnerQuotas,
        *,
        is_limited: bool,
        max_files_per_job: int,
    ) -> None:
        self._queue = queue
        self._quotas = quotas
        self._is_limited = is_limited
        self._owner = owner
        self._max_files_per_job = max_files_per_job
        self.ingests = IngestStore(storage, owner)

    def request(self, request: IngestRequest, options: ProcessingOptions | None) -> IngestRecord:
        """Queue what is asked for; ``options`` are those of its job, None adds to the library.

        Raises `InvalidLink`, `InvalidList`, `InvalidOption`, `QuotaExceeded`, `StorageFull`,
        `DatabaseUnavailable`.
        """
        tracks = self._read(request)
        if options is not None and len(tracks) > self._max_files_per_job:
            raise InvalidOption(
                f"A job takes at most {self._max_files_per_job} files; these are {len(tracks)}.",
                hint="Add them to the library, or raise MAX_FILES_PER_JOB.",
                field="job",
            )
        if options is not None:
            self._quotas.require_places()
        record = IngestRecord(
            id=new_job_id(),
            owner=self._owner,
            created_at=now(),
            name=_describe(request, tracks),
            is_job=options is not None,
            n_tracks=len(tracks),
            options=options,
            is_limited=self._is_limited,
        )
        self.ingests.write_tracks(record.id, tracks)
        self.ingests.keep(record)
        try:
            self._queue.enqueue_task("ingest", record.id, record.owner)
        except Exception:
            self.ingests.remove(record.id)
            raise
        return record

    @staticmethod
    def _read(request: IngestRequest) -> list[IngestedTrack]:
        links = [link.strip() for link in request.links if link.strip()]
        for link in links:
            if not link.startswith(BUCKETS):
                parse_url(link)
        tracks = [IngestedTrack(url=link) for link in dict.fromkeys(links)]
        if request.list_text:
            listed = read_list(request.list_name, request.list_text.encode(errors="replace"))
            tracks += [IngestedTrack(**track.model_dump()) for track in listed]
        if not tracks:
            raise InvalidOption("No link and no list was sent.", hint="Send one.", field="links")
        return tracks


def _describe(request: IngestRequest, tracks: list[IngestedTrack]) -> str:
    named = "" if request.links else request.list_name
    return (named or tracks[0].label)[:_MAX_NAME]
