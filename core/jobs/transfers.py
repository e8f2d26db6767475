"""Transfers of jobs: requests by the API, and the worker that carries them out."""

import time
from collections.abc import Sequence

from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.errors import JobNotFinished
from core.jobs.queue import JobQueue
from core.jobs.task_runner import TaskRunner
from core.system.clock import now
from core.transfer.naming import check_template
from core.transfer.records import TransferStore
from core.transfer.targets import find_target
from core.transfer.transferring import transfer_job
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.transfers import TransferRecord, TransferRequest

TELL_S = 0.5


class TransferService:
    """Transfers of an owner: the record says all, the queue triggers execution by a worker.

    ``targets`` are those that may be named.
    """

    def __init__(self, store: JobStore, queue: JobQueue, targets: Sequence[str]) -> None:
        self._jobs = store
        self._queue = queue
        self.targets = list(targets)
        self.transfers = TransferStore(store.storage, store.owner)

    def request(self, job_id: str, request: TransferRequest) -> TransferRecord:
        """Queue the transfer of a job that has ended.

        Raises `JobNotFound`, `JobNotFinished`, `InvalidOption`, `StorageFull`,
        `DatabaseUnavailable`.
        """
        target = find_target(request.target, self.targets)
        check_template(request.template)
        state = self._jobs.load(job_id).state
        if not state.is_final:
            raise JobNotFinished(
                f"Job '{job_id}' is {state}.", hint="Transfer it when it has ended."
            )
        record = TransferRecord(
            id=new_job_id(),
            owner=self._jobs.owner or LOCAL,
            created_at=now(),
            job_id=job_id,
            target=target,
            template=request.template,
        )
        self.transfers.keep(record)
        try:
            self._queue.enqueue_task("transfer", record.id, record.owner)
        except Exception:
            self.transfers.remove(record.id)
            raise
        return record


class TransferRunner(TaskRunner[TransferRecord]):
    """Carries out transfers. ``store`` has the jobs of all owners."""

    kind = "transfer"

    def __init__(self, store: JobStore) -> None:
        super().__init__(TransferStore(store.storage))
        self._jobs = store

    def _carry_out(self, record: TransferRecord) -> None:
        """Transfer the files that are not there. Raises `TransferNotFound` once it is over."""
        told_at = float("-inf")

        def told(n_files: int, n_done: int, n_bytes: int) -> None:
            nonlocal told_at
            self._park_if_stopping()
            if n_done < n_files and time.monotonic() - told_at < TELL_S:
                return
            told_at = time.monotonic()
            with self._store.update(record.id, record.attempt) as current:
                current.n_files, current.n_done, current.n_bytes = n_files, n_done, n_bytes

        jobs = self._jobs.owned_by(record.owner)
        note = transfer_job(jobs, record.job_id, record.target, record.template, told)
        with self._store.update(record.id, record.attempt) as current:
            current.index_url = note.index_url
