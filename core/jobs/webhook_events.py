"""What webhooks are told: written in the transaction that tells the end of a job or batch.

So an event is there exactly if its end is, whatever dies; `core.jobs.webhook_runner` delivers it.
"""

import hashlib
import time
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.artifacts.job_ids import new_job_id
from core.jobs.database import deliveries, named_webhooks, webhooks
from core.system.clock import now
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.webhooks import Event, EventData, EventType


def name_webhook(connection: sa.Connection, subject_id: str, webhook_id: str) -> None:
    """Note that a job or batch names a webhook."""
    statement = _insert(connection, named_webhooks).values(
        subject_id=subject_id, webhook_id=webhook_id
    )
    connection.execute(statement.on_conflict_do_nothing())


def tell_job_end(
    connection: sa.Connection, job_id: str, owner: str, state: JobState, n_retries: int
) -> None:
    """Write what the webhooks of an owner are told of a job; once, however often it is told."""
    path = f"/job/{job_id}"
    links = {"self": path, "manifest": f"{path}/manifest", "outputs": f"{path}/outputs"}
    data = EventData(job_id=job_id, links=links)
    _tell(connection, owner, f"job.{state.value}", data, job_id, f"{job_id}.{n_retries}")


def tell_batch_end(connection: sa.Connection, batch_id: str, owner: str, state: JobState) -> None:
    """Write what the webhooks of an owner are told of a batch."""
    path = f"/batches/{batch_id}"
    links = {"self": path, "manifest": f"{path}/manifest", "jobs": f"{path}/jobs"}
    data = EventData(batch_id=batch_id, links=links)
    # A batch that was opened again by a retry ends again.
    _tell(connection, owner, f"batch.{state.value}", data, batch_id, new_job_id())


def _tell(
    connection: sa.Connection, owner: str, kind: str, data: EventData, subject: str, once: str
) -> None:
    """Write an event for each webhook that wants it; ``once`` tells repetitions from others."""
    names = sa.select(named_webhooks.c.webhook_id).where(named_webhooks.c.subject_id == subject)
    rows = webhooks.c
    query = sa.select(rows.id, rows.events).where(
        rows.owner == owner,
        rows.ended_s.is_(None),
        sa.or_(rows.only_named.is_(False), rows.id.in_(names)),
    )
    event = Event(type=cast(EventType, kind), timestamp=now(), data=data)
    body = event.model_dump_json(exclude_none=True)
    for webhook_id, events in connection.execute(query).all():
        if kind not in events.split(","):
            continue
        key = f"{webhook_id} {kind} {once}"
        statement = _insert(connection, deliveries).values(
            id=f"msg_{hashlib.sha256(key.encode()).hexdigest()[:32]}",
            seq=new_job_id(),
            webhook_id=webhook_id,
            type=kind,
            body=body,
            state="waiting",
            created_s=time.time(),
            n_attempts=0,
            n_queued=0,
            next_s=time.time(),
        )
        connection.execute(statement.on_conflict_do_nothing())


def _insert(connection: sa.Connection, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return insert(table)
