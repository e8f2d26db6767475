"""Jobs that stand still: the engine has them running on a worker that has ended."""

from core.jobs.liveness import open_liveness
from core.jobs.queue import RENDER_WORKFLOW, JobQueue, job_of


def stalled_jobs(queue: JobQueue, database_url: str) -> set[str]:
    """Return the ids of started jobs whose worker has ended and that wait for another one.

    Raises `DatabaseUnavailable`.
    """
    pending = [row for row in queue.pending() if row.name != RENDER_WORKFLOW]
    if not pending:
        return set()
    liveness = open_liveness(database_url)
    executors = {row.executor_id for row in pending if row.executor_id}
    dead = {executor for executor in executors if liveness.is_dead(executor)}
    return {job_of(row) for row in pending if row.executor_id in dead}
