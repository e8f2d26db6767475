"""Tasks of workers: what is asked for, and how far it has come. One record each."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path, PurePath
from typing import ClassVar, Generic, TypeVar

from pydantic import ValidationError

from core.artifacts.documents import documents_of
from core.artifacts.job_ids import is_job_id
from core.errors import StemcrateError
from core.system.clock import now
from core.system.locks import locks_of
from core.system.storage import Storage
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.tasks import TaskRecord

R = TypeVar("R", bound=TaskRecord)

N_KEPT = 50


class TaskStore(Generic[R]):
    """Tasks of one kind. Safe to use from several threads and processes.

    Attributes
    ----------
    schema : of the records.
    folder : of the names of records.
    lock : held while a record changes.
    listed_at : the operation that lists them, for hints.
    missing : raised for a task that is not there, or is over.
    """

    schema: type[R]
    folder: ClassVar[str]
    lock: ClassVar[str]
    listed_at: ClassVar[str]
    missing: ClassVar[type[StemcrateError]]

    def __init__(self, place: Path | Storage, owner: str | None = None) -> None:
        """``owner``: whose tasks this store has; None: everybody's."""
        storage = Storage.at(place)
        self._owner = owner
        self._documents = documents_of(storage)
        self._locks = locks_of(storage)

    def keep(self, record: R) -> None:
        """Write a new record. Of those that have ended, the last `N_KEPT` are kept."""
        with self._locked():
            self._write_new(record)

    def load(self, id: str) -> R:
        """Read a record. Raises ``missing``."""
        if is_job_id(id):
            with suppress(ValidationError):
                data = self._documents.read(self._name(id)) or b""
                record = self.schema.model_validate_json(data)
                if self._owner in (None, record.owner):
                    return record
        raise self.missing(
            f"There is none with the id '{id[:100]}'.", hint=f"{self.listed_at} lists the last."
        )

    def all(self) -> list[R]:
        """Read every record, newest first."""
        records = []
        for name in reversed(self._documents.names(self.folder)):
            if PurePath(name).parent.as_posix() == self.folder:  # not what is kept beside records
                with suppress(self.missing):
                    records.append(self.load(PurePath(name).stem))
        return records

    def begin(self, id: str) -> R:
        """Record a new attempt. Raises ``missing`` if it has ended."""

        def begun(record: R) -> None:
            record.attempt += 1
            record.state = JobState.RUNNING
            record.started_at = now()
            self._reset(record)

        return self._change(id, begun)

    @contextmanager
    def update(self, id: str, attempt: int) -> Iterator[R]:
        """Yield the record of an attempt; write it when the block succeeds.

        Raises ``missing`` if it has ended or was begun anew.
        """
        with self._locked():
            record = self._open(id)
            if record.attempt != attempt:
                raise self._over(id)
            yield record
            self._write(record)

    def cancel(self, id: str) -> R:
        """Cancel a task; one that has ended stays as it is. Raises ``missing``."""
        if self.load(id).state.is_final:
            return self.load(id)

        def cancelled(record: R) -> None:
            record.state = JobState.CANCELLED
            record.finished_at = now()

        with suppress(self.missing):  # it has ended meanwhile
            return self._change(id, cancelled)
        return self.load(id)

    def remove(self, id: str) -> None:
        """Remove a record, if it is there."""
        self._documents.remove(self._name(id))
        self._discard(id)

    def _discard(self, id: str) -> None:
        """Remove what is kept beside a record."""

    def _reset(self, record: R) -> None:
        """Take back what an earlier attempt counted."""

    def _write_new(self, record: R) -> None:
        ended = [kept for kept in self.all() if kept.state.is_final]
        for kept in ended[N_KEPT - 1 :]:
            self.remove(kept.id)
        self._write(record)

    def _change(self, id: str, change: Callable[[R], None]) -> R:
        with self._locked():
            record = self._open(id)
            change(record)
            self._write(record)
            return record

    def _open(self, id: str) -> R:
        record = self.load(id)
        if record.state.is_final:
            raise self._over(id)
        return record

    def _write(self, record: R) -> None:
        data = record.model_dump_json(indent=1).encode()
        self._documents.write(self._name(record.id), data)

    def _name(self, id: str) -> str:
        return f"{self.folder}/{id}.json"

    def _locked(self) -> AbstractContextManager[None]:
        return self._locks.held(self.lock)

    def _over(self, id: str) -> StemcrateError:
        return self.missing(f"The one with the id '{id}' is over.")
