"""What the hosts of an installation share in PostgreSQL: the records, and the manifests of jobs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from core.artifacts.job_ids import is_job_id
from core.artifacts.job_index import JobIndex, ListedJob, job_records, metadata, row_of
from core.artifacts.objects import Objects
from core.system.database import changing_tables, database_errors, engine_for, transaction
from stemcrate.schemas.jobs import JobQuery
from stemcrate.schemas.manifest import JobState, ProcessingManifest

V = TypeVar("V")

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("touched_s", sa.Double, nullable=False),
)


@lru_cache
def prepare_shared_tables(url: str) -> None:
    """Make the tables, once in a process. Raises `DatabaseUnavailable`."""
    with changing_tables(url), database_errors():
        metadata.create_all(engine_for(url))


class DatabaseDocuments:
    """Records in a table. Every method raises `DatabaseUnavailable`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def read(self, name: str) -> bytes | None:
        """Return a record; None if there is none."""
        with self._connected() as connection:
            query = sa.select(documents.c.data).where(documents.c.name == name)
            data = connection.scalar(query)
        return None if data is None else bytes(data)

    def write(self, name: str, data: bytes) -> None:
        """Write a record in place of the one that is there."""
        values = {"data": data, "touched_s": time.time()}
        statement = insert(documents).values(name=name, **values)
        with self._connected() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_=values)
            )

    def remove(self, name: str) -> None:
        """Remove a record, if there is one."""
        with self._connected() as connection:
            connection.execute(sa.delete(documents).where(documents.c.name == name))

    def touch(self, name: str) -> None:
        """Note that a record is of use now, if there is one."""
        named = sa.update(documents).where(documents.c.name == name)
        with self._connected() as connection:
            connection.execute(named.values(touched_s=time.time()))

    def touched_at(self, name: str) -> float | None:
        """Return when a record was written or touched (Unix seconds); None if there is none."""
        with self._connected() as connection:
            query = sa.select(documents.c.touched_s).where(documents.c.name == name)
            touched_s: float | None = connection.scalar(query)
        return touched_s

    def names(self, folder: str) -> list[str]:
        """List the records below a folder, in order."""
        with self._connected() as connection:
            return sorted(connection.scalars(sa.select(documents.c.name).where(_below(folder))))

    def untouched(self, folder: str, since_s: float) -> list[str]:
        """List the records below a folder that were not written or touched since then."""
        query = sa.select(documents.c.name).where(_below(folder), documents.c.touched_s < since_s)
        with self._connected() as connection:
            return sorted(connection.scalars(query))

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        prepare_shared_tables(self._url)
        with transaction(self._url) as connection:
            yield connection


def _below(folder: str) -> sa.ColumnElement[bool]:
    return documents.c.name.startswith(f"{folder}/", autoescape=True)


class DatabaseManifests:
    """Manifests in a table, whose other columns list them; `FolderManifests` of several hosts.

    A change holds the row. Who loses the connection meanwhile has changed nothing. The manifest of
    a job that ended is also written beside its files, for people and for other programs.
    Every method raises `DatabaseUnavailable`. ``outputs`` is the folder of jobs on this host.
    """

    def __init__(self, url: str, objects: Objects, outputs: Path) -> None:
        self._url = url
        self._objects = objects
        self._outputs = outputs
        self._owners: dict[str, str] = {}
        self._held = threading.local()

    def read(self, job_id: str) -> bytes | None:
        """Return a manifest as it was written; None if there is none."""
        data = self._value(job_id, job_records.c.manifest)
        return None if data is None else bytes(data)

    def exists(self, job_id: str) -> bool:
        """Return whether there is a manifest."""
        return self.written_at(job_id) is not None

    def stamp(self, job_id: str) -> tuple[int, int] | None:
        """Return what changes with a manifest; None if there is none."""
        written_ns = self.written_at(job_id)
        return None if written_ns is None else (written_ns, 0)

    def written_at(self, job_id: str) -> int | None:
        """Return when a manifest was last written (ns), later each time; None if there is none."""
        return self._value(job_id, job_records.c.written_ns)

    def owner_of(self, job_id: str) -> str | None:
        """Return the owner of a job, who never changes; None if there is no such job."""
        if job_id not in self._owners:
            owner = self._value(job_id, job_records.c.owner)
            if owner is None:
                return None
            self._owners[job_id] = owner
        return self._owners[job_id]

    @contextmanager
    def locked(self, job_id: str) -> Iterator[None]:
        """Hold the row of a job; what this thread writes of it is there when the block succeeds."""
        with self._connected() as connection:
            row = sa.select(job_records.c.job_id).where(job_records.c.job_id == job_id)
            connection.scalar(row.with_for_update())
            self._held.connection = connection
            try:
                yield
            finally:
                del self._held.connection

    def write(self, manifest: ProcessingManifest, data: bytes) -> None:
        """Write a manifest."""
        with self._connected() as connection:
            before = self.written_at(manifest.job_id) or 0
            row = row_of(manifest, max(time.time_ns(), before + 1)) | {"manifest": data}
            statement = insert(job_records).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=["job_id"], set_=row))
        if manifest.state.is_final:
            self._objects.put_bytes(f"outputs/{manifest.job_id}/manifest.json", data)

    def remove(self, job_id: str) -> None:
        """Remove a manifest, if it is there."""
        with self._connected() as connection:
            connection.execute(sa.delete(job_records).where(job_records.c.job_id == job_id))
        self._owners.pop(job_id, None)

    def ids(self) -> list[str]:
        """List the jobs of all owners, newest first."""
        return self._index().ids()

    def watched(self) -> dict[str, int | None]:
        """Return when the manifests were written of jobs that have not ended or a folder here."""
        here = {p.name for p in self._outputs.glob("*") if is_job_id(p.name)}
        table = job_records.c
        is_open = table.state.in_([JobState.QUEUED.value, JobState.RUNNING.value])
        query = sa.select(table.job_id, table.written_ns)
        with self._connected() as connection:
            rows = connection.execute(query.where(sa.or_(is_open, table.job_id.in_(here)))).all()
        return dict.fromkeys(here) | {row.job_id: row.written_ns for row in rows}

    def listed(self, owner: str | None) -> dict[str, int]:
        """Return when each job of an owner, or of all, was last written (ns), newest first."""
        return self._index().written(owner)

    def listed_ids(self, owner: str | None, *, limit: int | None = None) -> list[str]:
        """List the jobs of an owner, or of all, newest first."""
        return self._index().ids(owner, limit=limit)

    def ended_before(self, at_s: float, owner: str | None) -> list[str]:
        """List the jobs that ended before a time (Unix seconds)."""
        return self._index().ended_before(at_s, owner)

    def find(self, query: JobQuery, owner: str | None, *, limit: int) -> list[ListedJob]:
        """List up to ``limit`` jobs that a query asks for, newest first."""
        return self._index().find(query, owner, limit=limit)

    def _index(self) -> JobIndex:
        prepare_shared_tables(self._url)
        return JobIndex(engine_for(self._url))

    def _value(self, job_id: str, column: sa.Column[V]) -> V | None:
        with self._connected() as connection:
            query = sa.select(column).where(job_records.c.job_id == job_id)
            value: V | None = connection.scalar(query)
        return value

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        """Yield the connection with which this thread holds a row, else one in a transaction."""
        held = getattr(self._held, "connection", None)
        if held is not None:
            yield held
            return
        prepare_shared_tables(self._url)
        with transaction(self._url) as connection:
            yield connection
