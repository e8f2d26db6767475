"""How the ends of jobs end their batch; the log of jobs tells it in its own transactions."""

import time

import sqlalchemy as sa

from core.jobs.database import batch_items, batches
from core.jobs.webhook_events import tell_batch_end
from stemcrate.schemas.manifest import JobState

WAITING = "waiting"
"""A file of which there is no job yet."""
OPEN = (WAITING, JobState.QUEUED.value, JobState.RUNNING.value)


def note_state(connection: sa.Connection, job_id: str, state: JobState) -> None:
    """Note the state of a job in its batch, if it has one; the last end ends the batch."""
    rows = batch_items.c
    mine = [rows.job_id == job_id]
    if state == JobState.QUEUED:
        mine.append(rows.state != WAITING)  # the runner says when a job is queued, not its log
    batch_id = connection.scalar(
        sa.update(batch_items)
        .where(*mine)
        .values(state=state.value, is_made=True)
        .returning(rows.batch_id)
    )
    if batch_id is None:
        return
    if state.is_final:
        close_if_ended(connection, batch_id)
    else:  # one that is tried again
        connection.execute(
            sa.update(batches)
            .where(batches.c.id == batch_id, batches.c.finished_s.is_not(None))
            .values(finished_s=None, state=None)
        )


def close_if_ended(connection: sa.Connection, id: str) -> None:
    """End a batch whose files have all ended."""
    # Two last jobs that end at once do not see each other before they have this lock.
    held = sa.select(batches.c.wanted, batches.c.owner).where(batches.c.id == id)
    batch = connection.execute(held.with_for_update()).one_or_none()
    rows = batch_items.c
    states = set(connection.scalars(sa.select(rows.state).where(rows.batch_id == id).distinct()))
    if batch is None or states & set(OPEN):
        return
    state = JobState.FAILED
    if batch.wanted != "run":
        state = JobState.CANCELLED
    elif JobState.COMPLETED.value in states:
        state = JobState.COMPLETED
    elif states == {JobState.CANCELLED.value}:
        state = JobState.CANCELLED
    ended = connection.execute(
        sa.update(batches)
        .where(batches.c.id == id, batches.c.finished_s.is_(None))
        .values(finished_s=time.time(), state=state.value)
    )
    if ended.rowcount and batch.wanted != "delete":
        tell_batch_end(connection, id, batch.owner, state)
