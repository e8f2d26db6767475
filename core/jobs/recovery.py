"""Who owns a workflow, and how it returns to its queue: what the engine keeps to itself.

The engine writes a token beside a workflow whenever a worker claims it, and lets only its holder
record results. No public function tells this token or returns workflows to their queues. Used here
alone.
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from dbos import DBOS  # noqa: TID251
from dbos._context import get_local_dbos_context  # noqa: TID251
from dbos._dbos import _get_dbos_instance  # noqa: TID251

from core.jobs.queue import ACTIVE, JOBS_QUEUE, PARTITIONED_QUEUES
from core.system.database import database_errors
from stemcrate.schemas.owners import LOCAL

GIVE_BACK_S = 3.0
"""The longest that a worker that stops waits for its database; another one then recovers."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A workflow that this thread runs, and the engine's token for this run of it."""

    workflow_id: str
    token: str

    @database_errors()
    def is_valid(self) -> bool:
        """Return whether the workflow still belongs to this run. Raises `DatabaseUnavailable`."""
        system_db = _get_dbos_instance()._sys_db
        rows = system_db.tables.workflow_status
        query = sa.select(rows.c.owner_xid).where(
            rows.c.workflow_uuid == self.workflow_id, rows.c.status == "PENDING"
        )
        with system_db.engine.connect() as connection:
            return bool(connection.scalar(query) == self.token)


def current_claim() -> Claim:
    """Return the claim of the workflow that this thread runs."""
    context = get_local_dbos_context()
    assert context is not None
    assert context.owner_xid is not None
    return Claim(context.workflow_id, context.owner_xid)


class Recovery:
    """The recovery of this process's engine, which must have been launched."""

    def recover(self, executor_id: str) -> None:
        """Return a dead executor's unfinished workflows to their queues."""
        DBOS._recover_pending_workflows([executor_id])

    def running(self) -> set[str]:
        """Return the ids of the workflows that threads of this process run."""
        return set(_get_dbos_instance()._active_workflows_set.activeList())

    @database_errors()
    def lost(self, workflow_ids: Collection[str], executor_id: str) -> set[str]:
        """Return which of these workflows another executor has taken, or may take.

        Raises `DatabaseUnavailable`.
        """
        system_db = _get_dbos_instance()._sys_db
        rows = system_db.tables.workflow_status
        query = sa.select(rows.c.workflow_uuid).where(
            rows.c.workflow_uuid.in_(workflow_ids),
            sa.or_(rows.c.executor_id != executor_id, rows.c.status == "ENQUEUED"),
        )
        with system_db.engine.connect() as connection:
            return set(connection.scalars(query))

    @database_errors()
    def adopt(self) -> None:
        """Give work that an earlier version queued without an owner a turn: that of `local`.

        Raises `DatabaseUnavailable`.
        """
        system_db = _get_dbos_instance()._sys_db
        rows = system_db.tables.workflow_status
        lost = sa.and_(
            rows.c.status.in_(ACTIVE),
            rows.c.queue_name.in_(PARTITIONED_QUEUES),
            rows.c.queue_partition_key.is_(None),
        )
        with system_db.engine.begin() as connection:
            if connection.scalar(sa.select(sa.exists().where(lost))):
                connection.execute(sa.update(rows).where(lost).values(queue_partition_key=LOCAL))

    @database_errors()
    def take_back(self, workflow_id: str, executor_id: str) -> None:
        """Return a workflow of a living executor to its queue, because no thread runs it.

        Raises `DatabaseUnavailable`.
        """
        _get_dbos_instance()._sys_db.reenqueue_for_recovery(workflow_id, [executor_id], JOBS_QUEUE)

    def give_back(self, executor_id: str) -> None:
        """Return all workflows of this process to their queues; it takes no more.

        Without the database, another worker finds them when this one has ended.
        """
        for event in _get_dbos_instance().background_thread_stop_events:
            event.set()  # those that take workflows from the queues
        thread = threading.Thread(target=self.recover, args=(executor_id,), daemon=True)
        thread.start()
        thread.join(GIVE_BACK_S)
