"""Returns unfinished workflows to their queues, by functions that the engine keeps to itself.

No public function of the engine does this and keeps its count of attempts. Used here alone.
"""

from dbos import DBOS  # noqa: TID251
from dbos._dbos import _get_dbos_instance  # noqa: TID251

from core.jobs.queue import JOBS_QUEUE
from core.system.database import database_errors


class Recovery:
    """The recovery of this process's engine, which must have been launched."""

    def recover(self, executor_id: str) -> None:
        """Return a dead executor's unfinished workflows to their queues."""
        DBOS._recover_pending_workflows([executor_id])

    def running(self) -> set[str]:
        """Return the ids of the workflows that threads of this process run."""
        return set(_get_dbos_instance()._active_workflows_set.activeList())

    @database_errors()
    def take_back(self, workflow_id: str, executor_id: str) -> None:
        """Return a workflow of a living executor to its queue, because no thread runs it.

        Raises `DatabaseUnavailable`.
        """
        _get_dbos_instance()._sys_db.reenqueue_for_recovery(workflow_id, [executor_id], JOBS_QUEUE)
