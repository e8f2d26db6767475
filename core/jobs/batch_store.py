"""Batches in the database: what was asked for, and the state of each file's job.

Written whole in one transaction, so a batch is there with all its files or not at all. States of
jobs arrive by `core.jobs.batch_states`.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa

from core.errors import BatchNotFound
from core.jobs.batch_states import WAITING, close_if_ended
from core.jobs.batch_work import WaitingItem
from core.jobs.database import batch_items, batches
from core.jobs.webhook_events import name_webhook
from core.system.database import transaction
from stemcrate.schemas.batches import BatchCounts, BatchItem
from stemcrate.schemas.manifest import Failure, JobState
from stemcrate.schemas.options import ProcessingOptions

INSERTED_AT_ONCE = 500

Wanted = Literal["run", "cancel", "delete"]


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch. ``state`` is None until all its jobs have ended.

    ``wanted`` is what its owner asked for last, in the request ``revision``; ``is_limited`` says
    whether the quotas of its owner hold for it.
    """

    id: str
    owner: str
    name: str
    options: ProcessingOptions
    created_at: datetime
    finished_at: datetime | None
    state: JobState | None
    wanted: Wanted
    revision: int
    is_limited: bool


class BatchStore:
    """The batches of one owner; without an owner, those of all. Raises `DatabaseUnavailable`."""

    def __init__(self, database_url: str, owner: str | None = None) -> None:
        self._url = database_url
        self._owner = owner

    def create(
        self,
        id: str,
        name: str,
        items: Sequence[WaitingItem],
        options: ProcessingOptions,
        *,
        is_limited: bool,
        webhook_id: str | None = None,
    ) -> None:
        """Write a batch with its files, and the webhook that it names."""
        assert self._owner is not None
        batch = {
            "id": id,
            "owner": self._owner,
            "name": name,
            "options": options.model_dump_json(),
            "created_s": time.time(),
            "wanted": "run",
            "revision": 0,
            "is_limited": is_limited,
        }
        rows = [
            {**asdict(item), "batch_id": id, "state": WAITING, "is_made": False} for item in items
        ]
        with transaction(self._url) as connection:
            connection.execute(sa.insert(batches).values(**batch))
            if webhook_id is not None:
                name_webhook(connection, id, webhook_id)
            for start in range(0, len(rows), INSERTED_AT_ONCE):
                connection.execute(sa.insert(batch_items), rows[start : start + INSERTED_AT_ONCE])

    def exists(self, id: str) -> bool:
        """Return whether a batch was written."""
        with transaction(self._url) as connection:
            return bool(connection.scalar(sa.select(sa.exists().where(*self._is(id)))))

    def get(self, id: str) -> BatchRecord:
        """Return a batch. Raises `BatchNotFound`."""
        with transaction(self._url) as connection:
            row = connection.execute(sa.select(batches).where(*self._is(id))).one_or_none()
        if row is None or (self._owner is not None and row.wanted == "delete"):
            raise _not_found(id)
        return _record(row)

    def page(self, before: str | None, limit: int) -> list[BatchRecord]:
        """List batches older than ``before``, newest first: ids sort by time."""
        query = sa.select(batches).where(*self._mine(), batches.c.wanted != "delete")
        if before is not None:
            query = query.where(batches.c.id < before)
        with transaction(self._url) as connection:
            rows = connection.execute(query.order_by(batches.c.id.desc()).limit(limit)).all()
        return [_record(row) for row in rows]

    def counts(self, ids: Collection[str]) -> dict[str, tuple[BatchCounts, int]]:
        """Count the files of batches by state, and those that have a job."""
        rows = batch_items.c
        query = (
            sa.select(rows.batch_id, rows.state, rows.is_made, sa.func.count())
            .where(rows.batch_id.in_(ids))
            .group_by(rows.batch_id, rows.state, rows.is_made)
        )
        found = {id: BatchCounts() for id in ids}
        n_jobs = dict.fromkeys(ids, 0)
        with transaction(self._url) as connection:
            for id, state, is_made, n in connection.execute(query):
                name = JobState.QUEUED.value if state == WAITING else state
                setattr(found[id], name, getattr(found[id], name) + n)
                n_jobs[id] += n if is_made else 0
        return {id: (found[id], n_jobs[id]) for id in ids}

    def items(self, id: str, after: int = -1, limit: int | None = None) -> list[BatchItem]:
        """List the files of a batch after a position."""
        rows = batch_items.c
        query = (
            sa.select(batch_items)
            .where(rows.batch_id == id, rows.position > after)
            .order_by(rows.position)
            .limit(limit)
        )
        with transaction(self._url) as connection:
            return [_item(row) for row in connection.execute(query)]

    def n_waiting(self) -> int:
        """Count the files that wait for their jobs."""
        query = (
            sa.select(sa.func.count())
            .select_from(batch_items.join(batches, batches.c.id == batch_items.c.batch_id))
            .where(*self._mine(), batch_items.c.state == WAITING)
        )
        with transaction(self._url) as connection:
            return int(connection.scalar(query) or 0)

    def want(self, id: str, wanted: Wanted) -> int:
        """Cancel or delete a batch: no more jobs are made. Return the number of this request.

        Raises `BatchNotFound`.
        """
        with transaction(self._url) as connection:
            revision = connection.scalar(
                sa.update(batches)
                .where(*self._is(id), batches.c.wanted != "delete")
                .values(wanted=wanted, revision=batches.c.revision + 1)
                .returning(batches.c.revision)
            )
            if revision is None:
                raise _not_found(id)
            connection.execute(
                sa.update(batch_items)
                .where(batch_items.c.batch_id == id, batch_items.c.state == WAITING)
                .values(state=JobState.CANCELLED.value)
            )
            close_if_ended(connection, id)
        return int(revision)

    def unfinished(self) -> list[BatchRecord]:
        """List the batches of which something is left to do."""
        query = sa.select(batches).where(
            sa.or_(batches.c.finished_s.is_(None), batches.c.wanted == "delete")
        )
        with transaction(self._url) as connection:
            return [_record(row) for row in connection.execute(query)]

    def _is(self, id: str) -> list[sa.ColumnElement[bool]]:
        return [*self._mine(), batches.c.id == id]

    def _mine(self) -> list[sa.ColumnElement[bool]]:
        return [] if self._owner is None else [batches.c.owner == self._owner]


def _record(row: "sa.Row[tuple[object, ...]]") -> BatchRecord:
    return BatchRecord(
        id=row.id,
        owner=row.owner,
        name=row.name,
        options=ProcessingOptions.model_validate_json(row.options),
        created_at=datetime.fromtimestamp(row.created_s, UTC),
        finished_at=None if row.finished_s is None else datetime.fromtimestamp(row.finished_s, UTC),
        state=None if row.state is None else JobState(row.state),
        wanted=row.wanted,
        revision=row.revision,
        is_limited=row.is_limited,
    )


def _item(row: "sa.Row[tuple[object, ...]]") -> BatchItem:
    return BatchItem(
        position=row.position,
        name=row.name,
        sha256=row.sha256,
        job_id=row.job_id if row.is_made else None,
        state=JobState.QUEUED if row.state == WAITING else JobState(row.state),
        error=None if row.failure is None else Failure.model_validate_json(row.failure),
    )


def _not_found(id: str) -> BatchNotFound:
    return BatchNotFound(f"There is no batch '{id[:64]}'.", hint="GET /batches lists them.")
