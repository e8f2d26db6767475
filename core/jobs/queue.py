"""The queue as clients of the workers see it: enqueue, cancel and query jobs.

Holds only a client of the engine: no workflow code, no torch, no execution.
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
# Polling interval of an idle worker. Measured on one slow core: stages every 0.1 s
# cost 10 % of it, 0.2 s half of that; a track of eleven stages then waits 1 s for its queues.
JOB_POLL_S = 0.5
STAGE_POLL_S = 0.2
RESULT_POLL_S = 0.1  # while a job runs
JOB_WORKFLOW = "process_job"
ACTIVE = ("PENDING", "ENQUEUED", "DELAYED")
FORGET_AFTER_S = 10.0
BATCH = 500
# Raised by hand when a change of workflows makes a half-done job impossible to replay
# by the new version. By default the engine hashes the source, and a harmless edit strands every
# waiting job.
PIPELINE_VERSION = "1"


class JobQueue:
    """The queue of jobs. Connects on first use.

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
        """Return whether the database answers."""
        try:
            self._client.check_connection()
        except Exception as error:  # noqa: BLE001  any driver error means that it does not answer
            logger.warning("the job database does not answer: %s", error)
            return False
        return True

    @database_errors()
    def enqueue(self, job_id: str) -> None:
        """Queue the job. Idempotent."""
        self._client.enqueue(
            {"workflow_name": JOB_WORKFLOW, "queue_name": JOBS_QUEUE, "workflow_id": job_id},
            job_id,
        )

    @database_errors()
    def cancel(self, job_id: str) -> None:
        """Remove the job, its tracks and its stages from the queues. Idempotent."""
        self._client.cancel_workflow(job_id, cancel_children=True)

    @database_errors()
    def forget(self, job_id: str) -> bool:
        """Remove the engine's rows of an ended job; return whether all are gone.

        Rows of work that runs, or ended a moment ago, stay: a worker may still wait for them, and
        would wait forever for a removed row. The reaper removes them later.
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
        """Register the queues and their concurrency with the engine, before it is launched.

        A few tracks at once, so that the GPU stage of one overlaps the CPU stages of others; no
        more, because each keeps its float audio on disk.
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
        """List what the engine considers running, on live and dead workers."""
        return self._client.list_workflows(status="PENDING", load_input=False, load_output=False)

    @database_errors()
    def restart(self, job_id: str) -> None:
        """Restart the job; stages that the manifest lists as completed are not run again.

        Only for a job that no live worker works on.
        """
        self._client.delete_workflows([row.workflow_id for row in self._rows(job_id)])
        self.enqueue(job_id)

    @database_errors()
    def job_states(self, job_ids: Sequence[str]) -> dict[str, WorkflowStatus]:
        """Return the engine's states of these jobs; unknown jobs are missing."""
        states: dict[str, WorkflowStatus] = {}
        for batch in _batches(job_ids):
            rows = self._client.list_workflows(
                workflow_ids=batch, load_input=False, load_output=True
            )
            states.update({row.workflow_id: row for row in rows})
        return states

    @database_errors()
    def known_jobs(self) -> set[str]:
        """List every job that the engine has rows of."""
        rows = self._client.list_workflows(load_input=False, load_output=False)
        return {job_of(row) for row in rows}

    def _rows(self, job_id: str) -> list[WorkflowStatus]:
        return self._client.list_workflows(
            workflow_id_prefix=job_id, load_input=False, load_output=False
        )


def job_of(workflow: WorkflowStatus) -> str:
    """Return the id of a workflow's job: workflow ids are ``job.track.stage``."""
    return workflow.workflow_id.partition(".")[0]


def _batches(job_ids: Sequence[str]) -> Iterable[list[str]]:
    for start in range(0, len(job_ids), BATCH):
        yield list(job_ids[start : start + BATCH])
