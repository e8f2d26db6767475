"""The queue as seen from outside the worker: put jobs in, take them out, ask after them.

Holds a client of the engine only: no workflow code, no torch, and nothing is ever executed here.
"""

import logging
import time
from collections.abc import Iterable, Sequence

from dbos import DBOSClient, WorkflowStatus  # noqa: TID251

from core.system.database import database_errors
from core.system.logs import quieten_engine

logger = logging.getLogger(__name__)

APPLICATION = "stemcrate"
JOBS_QUEUE = "jobs"
TRACKS_QUEUE = "tracks"
JOBS_AT_ONCE = 4
# A worker that has nothing to do looks this often. Measured on one slow core: stages every 0.1 s
# cost 10 % of it, 0.2 s half of that; a track of eleven stages then waits 1 s for its queues.
JOB_POLL_S = 0.5
STAGE_POLL_S = 0.2
RESULT_POLL_S = 0.1  # while a job runs
JOB_WORKFLOW = "process_job"
ACTIVE = ("PENDING", "ENQUEUED", "DELAYED")
FORGET_AFTER_S = 10.0
BATCH = 500
# Raised by hand when workflows change so that a half-done job of the old version cannot be replayed
# by the new one. Left to itself the engine hashes the source, and a harmless edit strands every
# waiting job.
PIPELINE_VERSION = "1"


class JobQueue:
    """Jobs on their way to the workers. Connects on first use.

    Every method but `is_healthy` raises `DatabaseUnavailable`.
    """

    def __init__(self, database_url: str) -> None:
        self._client = DBOSClient(
            system_database_url=database_url,
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )
        quieten_engine()

    def close(self) -> None:
        """Close the connections."""
        self._client.destroy()

    def is_healthy(self) -> bool:
        """Tell whether the database answers."""
        try:
            self._client.check_connection()
        except Exception as error:  # noqa: BLE001  whatever the driver says: it does not answer
            logger.warning("The job database does not answer: %s", error)
            return False
        return True

    @database_errors()
    def enqueue(self, job_id: str) -> None:
        """Let a worker run the job. A second call for the same job changes nothing."""
        self._client.enqueue(
            {"workflow_name": JOB_WORKFLOW, "queue_name": JOBS_QUEUE, "workflow_id": job_id},
            job_id,
        )

    @database_errors()
    def cancel(self, job_id: str) -> None:
        """Take the job, its tracks and its stages out of the queues. Idempotent."""
        self._client.cancel_workflow(job_id, cancel_children=True)

    @database_errors()
    def forget(self, job_id: str) -> bool:
        """Remove what the engine keeps of a job that has ended; tell whether all of it is gone.

        Rows of work that runs, or ended a moment ago, stay: a worker may still wait for them, and
        would wait for ever for a row that is gone. The reaper comes back for those.
        """
        rows = self._rows(job_id)
        recent_ms = (time.time() - FORGET_AFTER_S) * 1000
        if any(row.status in ACTIVE or (row.updated_at or 0) > recent_ms for row in rows):
            return False
        if rows:
            self._client.delete_workflows([row.workflow_id for row in rows])
        return True

    # for the worker

    @database_errors()
    def register(self, *, cpu_slots: int) -> None:
        """Tell the engine the queues and how much of each a worker takes; before it is launched.

        A few tracks at once, so that the GPU stage of one meets the CPU stages of others; no more,
        because each keeps its float audio on disk.
        """
        for name, n_at_once, poll_s in (
            (JOBS_QUEUE, JOBS_AT_ONCE, JOB_POLL_S),
            (TRACKS_QUEUE, cpu_slots + 2, JOB_POLL_S),
            ("gpu", 1, STAGE_POLL_S),
            ("cpu", cpu_slots, STAGE_POLL_S),
        ):
            self._client.register_queue(
                name, worker_concurrency=n_at_once, polling_interval_sec=poll_s
            )

    @database_errors()
    def pending(self) -> list[WorkflowStatus]:
        """List what the engine believes to be running, on workers dead or alive."""
        return self._client.list_workflows(status="PENDING", load_input=False, load_output=False)

    @database_errors()
    def restart(self, job_id: str) -> None:
        """Let the job begin anew; stages that the manifest calls completed are not run again.

        For a job that no living worker has anything of.
        """
        self._client.delete_workflows([row.workflow_id for row in self._rows(job_id)])
        self.enqueue(job_id)

    @database_errors()
    def job_states(self, job_ids: Sequence[str]) -> dict[str, WorkflowStatus]:
        """Give what the engine knows of these jobs; those that it does not know are missing."""
        states: dict[str, WorkflowStatus] = {}
        for batch in _batches(job_ids):
            rows = self._client.list_workflows(
                workflow_ids=batch, load_input=False, load_output=True
            )
            states.update({row.workflow_id: row for row in rows})
        return states

    @database_errors()
    def known_jobs(self) -> set[str]:
        """List every job of which the engine keeps anything."""
        rows = self._client.list_workflows(load_input=False, load_output=False)
        return {job_of(row) for row in rows}

    def _rows(self, job_id: str) -> list[WorkflowStatus]:
        return self._client.list_workflows(
            workflow_id_prefix=job_id, load_input=False, load_output=False
        )


def job_of(workflow: WorkflowStatus) -> str:
    """Give the id of the job that a workflow is of: ids are ``job.track.stage``."""
    return workflow.workflow_id.partition(".")[0]


def _batches(job_ids: Sequence[str]) -> Iterable[list[str]]:
    for start in range(0, len(job_ids), BATCH):
        yield list(job_ids[start : start + BATCH])
