"""Requested downloads of models' weights, on disk: one record for each model.

    fetches/{model}.json        the record
    locks/fetch-{model}         held by the worker that downloads

The record says what is wanted and how far it is. Whoever holds the lock works on it; when a worker
dies, its lock is free again, and the next worker goes on.
"""

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import Timeout
from pydantic import ValidationError

from core.artifacts.documents import documents_of
from core.errors import FetchNotFound
from core.system.locks import locks_of
from core.system.storage import Storage
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.weights import FetchRecord

FETCHES = "fetches"


class FetchStore:
    """The downloads of an installation. Safe to use from several processes.

    Names of models become file names: callers pass only names of models that exist.
    """

    def __init__(self, place: Path | Storage) -> None:
        storage = Storage.at(place)
        self._documents = documents_of(storage)
        self._locks = locks_of(storage)

    def take(self, model: str, *, is_available: bool) -> FetchRecord:
        """Return the download of a model: the one that waits or runs, else a new one.

        ``is_available`` says that the weights are there already: the download is complete.
        """
        with self._lock():
            with suppress(FetchNotFound):
                known = self.load(model)
                if not known.state.is_final:
                    return known
            at = datetime.now(UTC)
            record = FetchRecord(model=model, run=secrets.token_hex(4), created_at=at)
            if is_available:
                record.state, record.finished_at = JobState.COMPLETED, at
            self._write(record)
            return record

    def load(self, model: str) -> FetchRecord:
        """Read a record. Raises `FetchNotFound`."""
        for record in self.all():
            if record.model == model:
                return record
        raise FetchNotFound(
            f"No download of the weights of '{model[:100]}' was requested.", hint="Request it."
        )

    def all(self) -> list[FetchRecord]:
        """Read every record, the oldest first; those of another version are left out."""
        records = []
        for name in self._documents.names(FETCHES):
            with suppress(ValidationError):
                records.append(FetchRecord.model_validate_json(self._documents.read(name) or b""))
        return sorted(records, key=lambda record: record.created_at)

    def is_current(self, record: FetchRecord) -> bool:
        """Return whether the run of a record may still write."""
        with suppress(FetchNotFound):
            now = self.load(record.model)
            return now.run == record.run and not now.state.is_final
        return False

    @contextmanager
    def update(self, record: FetchRecord) -> Iterator[FetchRecord]:
        """Yield the record of a run that may still write; write it when the block succeeds.

        Raises `FetchNotFound` if it was cancelled, ended or requested anew.
        """
        with self._lock():
            if not self.is_current(record):
                raise FetchNotFound(f"The download of '{record.model}' is over.")
            now = self.load(record.model)
            yield now
            self._write(now)

    @contextmanager
    def hold(self, model: str) -> Iterator[bool]:
        """Yield whether this process alone works on the download of a model in the block."""
        with ExitStack() as stack:
            try:
                stack.enter_context(self._locks.held(f"fetch-{model}", timeout_s=0))
            except Timeout:
                yield False
            else:
                yield True

    def delete(self, model: str) -> None:
        """Remove a record; its worker then stops the download. Raises `FetchNotFound`."""
        with self._lock():
            self._documents.remove(_name(self.load(model).model))

    def _write(self, record: FetchRecord) -> None:
        data = record.model_dump_json(indent=1).encode()
        self._documents.write(_name(record.model), data)

    def _lock(self) -> AbstractContextManager[None]:
        return self._locks.held("fetches")


def _name(model: str) -> str:
    return f"{FETCHES}/{model}.json"
