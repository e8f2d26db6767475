"""Batches: thousands of files with the same options, a job for each."""

from collections.abc import Callable, Iterator, Sequence

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.client.uploads import Options, write_options
from stemcrate.client.waiting import wait_until_final
from stemcrate.schemas.batches import (
    Batch,
    BatchInput,
    BatchItem,
    BatchList,
    BatchManifest,
    BatchPage,
    BatchRequest,
)

BATCH_POLL_S = 2.0
BatchProgress = Callable[[Batch], None]


class BatchCalls(Calls):
    """Operations on batches. Each one that takes an id raises ``batch_not_found`` (404)."""

    def create_batch(
        self,
        inputs: Sequence[BatchInput],
        options: Options | None = None,
        *,
        name: str = "",
        webhook_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Batch:
        """Make a job for each of up to 10,000 files that the server has; return the batch.

        Parameters
        ----------
        inputs : complete uploads (`upload_file`), or the SHA-256 of files of own jobs and tracks.
        options : as for `POST /process`, for all jobs.
        name : a label.
        webhook_id : a webhook that is told the batch's end.
        idempotency_key : makes one batch of this call and its repetitions with the same key.

        Raises `ApiError`: 404 ``upload_not_found``, 409 ``upload_incomplete`` or
        ``model_unavailable``, 422 ``invalid_option``, 429 ``quota_exceeded``, 507 ``storage_full``;
        `ApiError.field` names the input or option at fault.
        """
        wanted = BatchRequest(
            name=name,
            inputs=list(inputs),
            options=write_options(options or {}),
            webhook_id=webhook_id,
        )
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        body = wanted.model_dump(mode="json", exclude_none=True)
        return self._api.read("POST", "/batches", Batch, json=body, headers=headers)

    def list_batches(self, *, limit: int = 50, cursor: str | None = None) -> BatchList:
        """Return a page of batches, newest first."""
        query = {"limit": limit, "cursor": cursor}
        return self._api.read("GET", "/batches", BatchList, query=query)

    def get_batch(self, batch_id: str) -> Batch:
        """Return the state of a batch, with the number of its files in each state."""
        return self._api.read("GET", path_of("batches", batch_id), Batch)

    def list_batch_jobs(
        self, batch_id: str, *, limit: int = 200, cursor: str | None = None
    ) -> BatchPage:
        """Return a page of the files of a batch, in their order, with their jobs."""
        query = {"limit": limit, "cursor": cursor}
        return self._api.read("GET", path_of("batches", batch_id, "jobs"), BatchPage, query=query)

    def batch_jobs(self, batch_id: str) -> Iterator[BatchItem]:
        """Yield the files of a batch in their order, with their jobs, page by page."""
        page = self.list_batch_jobs(batch_id)
        yield from page.jobs
        while page.next_cursor is not None:
            page = self.list_batch_jobs(batch_id, cursor=page.next_cursor)
            yield from page.jobs

    def get_batch_manifest(self, batch_id: str) -> BatchManifest:
        """Return the record of a batch: its options, and what became of each file."""
        return self._api.read("GET", path_of("batches", batch_id, "manifest"), BatchManifest)

    def wait_for_batch(
        self,
        batch_id: str,
        *,
        progress: BatchProgress | None = None,
        timeout_s: float | None = None,
    ) -> Batch:
        """Wait until all jobs of a batch have ended; return it.

        Parameters
        ----------
        progress : called with the batch after every look, the last time after its end.
        timeout_s : maximum seconds to wait; None: no limit.

        Raises
        ------
        WaitTimeout : it has not ended after ``timeout_s``; it continues.
        """
        return wait_until_final(lambda: self.get_batch(batch_id), progress, timeout_s, BATCH_POLL_S)

    def cancel_batch(self, batch_id: str) -> Batch:
        """Make no more jobs of a batch, and cancel those that have not ended; return it."""
        return self._api.read("POST", path_of("batches", batch_id, "cancel"), Batch)

    def delete_batch(self, batch_id: str) -> None:
        """Delete a batch with all its jobs."""
        self._api.tell("DELETE", path_of("batches", batch_id))
