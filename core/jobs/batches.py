"""Batches for the API: request, list, cancel, delete. The rows say all; a worker makes the jobs."""

from collections.abc import Sequence

from core.artifacts.resumable import ResumableUploads
from core.artifacts.store import JobStore
from core.errors import UploadIncomplete, UploadNotFound
from core.jobs.batch_store import BatchRecord, BatchStore
from core.jobs.batch_work import items_of
from core.jobs.queue import JobQueue
from core.jobs.quotas import OwnerQuotas
from core.library.intake.uploads import is_kept
from core.library.library import Library
from stemcrate.schemas.batches import BatchInput
from stemcrate.schemas.options import ProcessingOptions


class BatchService:
    """The batches of an owner.

    ``is_limited``: the owner's quotas hold.
    """

    def __init__(
        self,
        database_url: str,
        store: JobStore,
        incoming: ResumableUploads,
        library: Library,
        queue: JobQueue,
        quotas: OwnerQuotas,
        *,
        is_limited: bool,
    ) -> None:
        self._store = store
        self._incoming = incoming
        self._library = library
        self._queue = queue
        self._quotas = quotas
        self._is_limited = is_limited
        self.batches = BatchStore(database_url, library.owner)

    def request(
        self,
        id: str,
        name: str,
        inputs: Sequence[BatchInput],
        options: ProcessingOptions,
        *,
        webhook_id: str | None = None,
    ) -> BatchRecord:
        """Write a batch and queue the making of its jobs. A batch of this id is only queued.

        Once it is written, it goes on whatever dies. Raises `UploadNotFound`, `UploadIncomplete`,
        `QuotaExceeded`, `DatabaseUnavailable`: then nothing is left.
        """
        if not self.batches.exists(id):
            self._quotas.require_places(len(inputs))
            for position, file in enumerate(inputs):
                self._check(file, f"inputs.{position}")
            with self._quotas.job_places(len(inputs)):
                self.batches.create(
                    id,
                    name,
                    items_of(inputs),
                    options,
                    is_limited=self._is_limited,
                    webhook_id=webhook_id,
                )
        record = self.batches.get(id)
        self._queue.enqueue_batch(id, record.revision, record.owner)
        return record

    def cancel(self, id: str) -> BatchRecord:
        """Make no more jobs, and cancel those that have not ended. Raises `BatchNotFound`."""
        record = self.batches.get(id)
        if record.finished_at is None:
            revision = self.batches.want(id, "cancel")
            self._queue.enqueue_batch(id, revision, record.owner)
        return self.batches.get(id)

    def delete(self, id: str) -> None:
        """Remove a batch with its jobs; a worker removes their files. Raises `BatchNotFound`."""
        record = self.batches.get(id)
        self._queue.enqueue_batch(id, self.batches.want(id, "delete"), record.owner)

    def _check(self, file: BatchInput, field: str) -> None:
        if file.upload_id is not None:
            try:
                state = self._incoming.get(file.upload_id)
            except UploadNotFound as error:
                raise UploadNotFound(error.message, hint=error.hint, field=field) from error
            if not state.is_complete:
                raise UploadIncomplete(
                    f"Only {state.offset} of {state.bytes} bytes of '{state.name}' have arrived.",
                    hint="Send the rest first.",
                    field=field,
                )
        elif file.sha256 is not None and not self._has(file.sha256):
            raise UploadNotFound(
                f"There is no file with the SHA-256 '{file.sha256}'.",
                hint="Upload it, or name a file of one of your jobs or of your library.",
                field=field,
            )

    def _has(self, sha256: str) -> bool:
        if is_kept(self._store, sha256, self._library.owner):
            return True
        return self._library.find_record(sha256) is not None
