"""Transfers on disk: what is asked for, and how far it has come.

transfers/{id}.json
"""

from core.artifacts.tasks import TaskStore
from core.errors import TransferNotFound
from stemcrate.schemas.transfers import TransferRecord


class TransferStore(TaskStore[TransferRecord]):
    """Transfers. Safe to use from several threads and processes."""

    schema = TransferRecord
    folder = "transfers"
    lock = "transfers"
    listed_at = "GET /transfers"
    missing = TransferNotFound

    def _reset(self, record: TransferRecord) -> None:
        record.n_done = record.n_bytes = 0
