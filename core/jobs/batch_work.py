"""What is left to do of batches: files that wait for their jobs, and jobs that have not ended."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from core.artifacts.job_ids import new_job_id
from core.jobs.batch_states import OPEN, WAITING, close_if_ended, note_state
from core.jobs.database import batch_items, batches
from core.system.database import transaction
from stemcrate.schemas.batches import BatchInput
from stemcrate.schemas.manifest import Failure, JobState


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """A file of a batch that waits for its job."""

    position: int
    job_id: str
    upload_id: str | None
    sha256: str | None
    name: str


def items_of(inputs: Sequence[BatchInput]) -> list[WaitingItem]:
    """Give each input of a batch the id of its job."""
    return [
        WaitingItem(position, new_job_id(), file.upload_id, file.sha256, file.name)
        for position, file in enumerate(inputs)
    ]


class BatchWork:
    """The files of the batches of all owners. Every method raises `DatabaseUnavailable`."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def waiting(self, id: str, limit: int) -> list[WaitingItem]:
        """List the next files of a batch that wait for their jobs, unless it was cancelled."""
        rows = batch_items.c
        query = (
            sa.select(rows.position, rows.job_id, rows.upload_id, rows.sha256, rows.name)
            .where(rows.batch_id == id, rows.state == WAITING)
            .order_by(rows.position)
            .limit(limit)
        )
        with transaction(self._url) as connection:
            return [WaitingItem(*row) for row in connection.execute(query)]

    def describe(self, id: str, position: int, sha256: str, name: str) -> None:
        """Note what a file is, before it has a job."""
        rows = batch_items.c
        with transaction(self._url) as connection:
            connection.execute(
                sa.update(batch_items)
                .where(rows.batch_id == id, rows.position == position)
                .values(sha256=sha256, name=name)
            )

    def created(self, id: str, position: int) -> bool:
        """Note that a file has a job now; return False if the batch was cancelled meanwhile."""
        rows = batch_items.c
        this = (rows.batch_id == id, rows.position == position)
        with transaction(self._url) as connection:
            connection.execute(sa.update(batch_items).where(*this).values(is_made=True))
            connection.execute(
                sa.update(batch_items)
                .where(*this, rows.state == WAITING)
                .values(state=JobState.QUEUED.value)
            )
            state = connection.scalar(sa.select(rows.state).where(*this))
        return state != JobState.CANCELLED.value

    def refuse(self, id: str, position: int, failure: Failure) -> None:
        """Note why there will be no job of a file."""
        rows = batch_items.c
        with transaction(self._url) as connection:
            connection.execute(
                sa.update(batch_items)
                .where(rows.batch_id == id, rows.position == position, rows.state == WAITING)
                .values(state=JobState.FAILED.value, failure=failure.model_dump_json())
            )
            close_if_ended(connection, id)

    def note(self, job_id: str, state: JobState) -> None:
        """Note the end of a job that nobody told."""
        with transaction(self._url) as connection:
            note_state(connection, job_id, state)

    def open_jobs(self, id: str) -> list[str]:
        """List the jobs of a batch that have not ended."""
        rows = batch_items.c
        query = sa.select(rows.job_id).where(
            rows.batch_id == id, rows.state.in_(OPEN), rows.state != WAITING
        )
        with transaction(self._url) as connection:
            return list(connection.scalars(query))

    def all_jobs(self, id: str) -> list[str]:
        """List the jobs of a batch, also those that were never made."""
        with transaction(self._url) as connection:
            query = sa.select(batch_items.c.job_id).where(batch_items.c.batch_id == id)
            return list(connection.scalars(query))

    def remove(self, id: str) -> None:
        """Remove the rows of a batch."""
        with transaction(self._url) as connection:
            connection.execute(sa.delete(batch_items).where(batch_items.c.batch_id == id))
            connection.execute(sa.delete(batches).where(batches.c.id == id))
