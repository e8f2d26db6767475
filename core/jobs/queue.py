"""The queue as clients of the workers see it: enqueue, cancel and query jobs.

Holds only a client of the engine: no workflow code, no torch, no execution.
"""

import logging
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

import sqlalchemy as sa
from dbos import DBOSClient, WorkflowStatus  # noqa: TID251

from core.jobs.queue_loads import QueueLoad, loads_of
from core.system.database import database_errors
from core.system.logs import quieten_engine
from core.system.recent import Recent

logger = logging.getLogger(__name__)

APPLICATION = "stemcrate"
JOBS_QUEUE = "jobs"
TRACKS_QUEUE = "tracks"
RENDERS_QUEUE = "renders"
TaskKind = Literal["import", "ingest", "enrichment", "transfer"]
"""Tasks of workers (`core.artifacts.tasks`); each kind has a workflow and a queue of its own."""
TASK_WORKFLOWS: dict[TaskKind, str] = {
    "import": "import_folder",
    "ingest": "ingest",
    "enrichment": "enrich",
    "transfer": "transfer_job",
}
TASK_QUEUES: dict[TaskKind, str] = {
    "import": "imports",
    "ingest": "ingests",
    "enrichment": "enrichments",
    "transfer": "transfers",
}
BATCHES_QUEUE = "batches"
WEBHOOKS_QUEUE = "webhooks"
PARTITIONED_QUEUES = (
    JOBS_QUEUE,
    TRACKS_QUEUE,
    RENDERS_QUEUE,
    *TASK_QUEUES.values(),
    BATCHES_QUEUE,
    WEBHOOKS_QUEUE,
)
"""Owners take turns in these (decision 26); the engine starts nothing there without an owner."""
QUEUES = (*PARTITIONED_QUEUES, "gpu", "cpu")
WorkerKind = Literal["gpu", "cpu"]
"""What a worker does: separation, which wants a GPU, or all else."""
JOBS_AT_ONCE = 4
# Polling interval of an idle worker. Measured on one slow core: stages every 0.1 s
# cost 10 % of it, 0.2 s half of that; a track of eleven stages then waits 1 s for its queues.
JOB_POLL_S = 0.5
STAGE_POLL_S = 0.2
PLACES_FRESH_S = 1.0
RESULT_POLL_S = 0.1  # while a job runs
JOB_WORKFLOW = "process_job"
TRACK_WORKFLOW = "process_track"
STAGE_WORKFLOW = "run_stage"
JOB_WORKFLOWS = (JOB_WORKFLOW, TRACK_WORKFLOW, STAGE_WORKFLOW)
RENDER_WORKFLOW = "render"
BATCH_WORKFLOW = "carry_out_batch"
WEBHOOK_WORKFLOW = "deliver"
ACTIVE = ("PENDING", "ENQUEUED", "DELAYED")
FORGET_AFTER_S = 10.0
BATCH = 500
# Raised by hand when a change of workflows makes a half-done job impossible to replay
# by the new version. By default the engine hashes the source, and a harmless edit strands every
# waiting job.
PIPELINE_VERSION = "1"


def queues_of(kinds: Collection[WorkerKind]) -> list[str]:
    """Return the queues of a worker of these kinds.

    >>> queues_of(["gpu"])
    ['gpu']
    """
    return [name for name in QUEUES if ("gpu" if name == "gpu" else "cpu") in kinds]


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
        self._waiting = Recent(self._read_waiting, PLACES_FRESH_S)

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
    def enqueue(self, job_id: str, owner: str, n_retries: int = 0) -> None:
        """Queue the job. Idempotent for each number of retries."""
        self._client.enqueue(
            {
                "workflow_name": JOB_WORKFLOW,
                "queue_name": JOBS_QUEUE,
                "workflow_id": _workflow_of(job_id, n_retries),
                "queue_partition_key": owner,
            },
            job_id,
        )

    @database_errors()
    def enqueue_render(self, id: str, run: str, owner: str) -> None:
        """Queue one run of a render. Idempotent."""
        self._client.enqueue(
            {
                "workflow_name": RENDER_WORKFLOW,
                "queue_name": RENDERS_QUEUE,
                "workflow_id": _render_workflow(id, run),
                "queue_partition_key": owner,
            },
            id,
            run,
        )

    @database_errors()
    def enqueue_task(self, kind: TaskKind, id: str, owner: str) -> None:
        """Queue a task. Idempotent."""
        self._client.enqueue(
            {
                "workflow_name": TASK_WORKFLOWS[kind],
                "queue_name": TASK_QUEUES[kind],
                "workflow_id": _task_workflow(kind, id),
                "queue_partition_key": owner,
            },
            id,
        )

    @database_errors()
    def enqueue_batch(self, id: str, revision: int, owner: str) -> None:
        """Queue what a batch wants by its request of this number. Idempotent."""
        self._client.enqueue(
            {
                "workflow_name": BATCH_WORKFLOW,
                "queue_name": BATCHES_QUEUE,
                "workflow_id": _batch_workflow(id, revision),
                "queue_partition_key": owner,
            },
            id,
        )

    @database_errors()
    def enqueue_delivery(self, id: str, run: int, owner: str) -> None:
        """Queue an attempt at a delivery to a webhook. Idempotent for each run."""
        self._client.enqueue(
            {
                "workflow_name": WEBHOOK_WORKFLOW,
                "queue_name": WEBHOOKS_QUEUE,
                "workflow_id": f"{id}.{run}",
                "queue_partition_key": owner,
            },
            id,
        )

    def waiting(self) -> list[str]:
        """List the jobs that no worker has taken yet, as their owners take turns."""
        return self._waiting.get_new()

    def place_of(self, job_id: str) -> int | None:
        """Return a job's place among those that wait, 1 for the next, as it was a moment ago.

        None if it does not wait.
        """
        waiting = self._waiting.get()
        if job_id not in waiting:  # it may have come since
            waiting = self._waiting.get_new()
        return waiting.index(job_id) + 1 if job_id in waiting else None

    @database_errors()
    def _read_waiting(self) -> list[str]:
        rows = self._client.list_workflows(
            status="ENQUEUED", queue_name=JOBS_QUEUE, load_input=False, load_output=False
        )
        turns: Counter[str | None] = Counter()
        places: list[tuple[int, int, str]] = []
        for row in sorted(rows, key=lambda row: row.created_at or 0):
            turns[row.queue_partition_key] += 1
            places.append((turns[row.queue_partition_key], row.created_at or 0, job_of(row)))
        return [job_id for *_, job_id in sorted(places)]

    @database_errors()
    def running(self) -> set[str]:
        """List the jobs that a worker has taken; without those that render."""
        rows = self._client.list_workflows(
            status="PENDING", queue_name=JOBS_QUEUE, load_input=False, load_output=False
        )
        return {job_of(row) for row in rows}

    @database_errors()
    def n_open(self, owner: str) -> int:
        """Count the jobs of an owner that have not ended."""
        rows = self._client._sys_db.tables.workflow_status.c  # no public function counts by owner
        query = sa.select(sa.func.count()).where(
            rows.queue_name == JOBS_QUEUE,
            rows.queue_partition_key == owner,
            rows.status.in_(ACTIVE),
        )
        with self._client._sys_db.engine.connect() as connection:
            return int(connection.scalar(query) or 0)

    @database_errors()
    def loads(self) -> list[QueueLoad]:
        """Return how full each queue is, and with what of each owner that has something there."""
        rows = self._client.list_workflows(
            status=["ENQUEUED", "PENDING"], load_input=False, load_output=False
        )
        return loads_of(rows, QUEUES)

    @database_errors()
    def cancel(self, job_id: str, n_retries: int = 0) -> None:
        """Remove the job, its tracks and its stages from the queues. Idempotent."""
        self._client.cancel_workflow(_workflow_of(job_id, n_retries), cancel_children=True)

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
    def register(self, *, cpu_slots: int, served: Collection[str] = QUEUES) -> None:
        """Register the queues and their concurrency with the engine, before it is launched.

        The concurrency of queues that this worker does not serve is for those that do to say.

        A few tracks at once, so that the GPU stage of one overlaps the CPU stages of others; no
        more, because each keeps its float audio on disk. One more of jobs and tracks than an owner
        may have at once: that place is free for somebody else.
        """
        for name, n_at_once, n_of_owner, poll_s in (
            (JOBS_QUEUE, JOBS_AT_ONCE + 1, JOBS_AT_ONCE, JOB_POLL_S),
            (TRACKS_QUEUE, cpu_slots + 3, cpu_slots + 2, JOB_POLL_S),
            (RENDERS_QUEUE, 1, 1, JOB_POLL_S),
            (TASK_QUEUES["import"], 1, 1, JOB_POLL_S),
            (TASK_QUEUES["ingest"], 2, 1, JOB_POLL_S),
            (TASK_QUEUES["enrichment"], 1, 1, JOB_POLL_S),
            (TASK_QUEUES["transfer"], 2, 1, JOB_POLL_S),
            (BATCHES_QUEUE, 2, 1, JOB_POLL_S),
            (WEBHOOKS_QUEUE, 8, 4, JOB_POLL_S),
            ("gpu", 1, None, STAGE_POLL_S),
            ("cpu", cpu_slots, None, STAGE_POLL_S),
        ):
            self._client.register_queue(
                name,
                worker_concurrency=n_at_once,
                partition_worker_concurrency=n_of_owner,
                polling_interval_sec=poll_s,
                on_conflict="always_update" if name in served else "never_update",
            )

    @database_errors()
    def pending(self) -> list[WorkflowStatus]:
        """List what the engine considers running, on live and dead workers."""
        return self._client.list_workflows(status="PENDING", load_input=False, load_output=False)

    @database_errors()
    def restart(self, job_id: str, owner: str, n_retries: int = 0) -> None:
        """Restart the job; stages that the manifest lists as completed are not run again.

        Only for a job that no live worker works on.
        """
        self._client.delete_workflows([row.workflow_id for row in self._rows(job_id)])
        self.enqueue(job_id, owner, n_retries)

    @database_errors()
    def job_states(self, n_retries: Mapping[str, int]) -> dict[str, WorkflowStatus]:
        """Return the engine's states of these jobs, by id; unknown jobs are missing.

        ``n_retries`` gives the jobs and how often each was tried again.
        """
        return self._states([_workflow_of(*job) for job in n_retries.items()])

    @database_errors()
    def render_states(self, runs: Mapping[str, str]) -> dict[str, WorkflowStatus]:
        """Return the engine's states of these runs of renders, by id; unknown ones are missing."""
        return self._states([_render_workflow(*render) for render in runs.items()])

    @database_errors()
    def task_states(self, kind: TaskKind, ids: Sequence[str]) -> dict[str, WorkflowStatus]:
        """Return the engine's states of tasks, by id; unknown ones are missing."""
        return self._states([_task_workflow(kind, id) for id in ids])

    @database_errors()
    def batch_states(self, revisions: Mapping[str, int]) -> dict[str, WorkflowStatus]:
        """Return the engine's states of these requests of batches; unknown ones are missing."""
        return self._states([_batch_workflow(*batch) for batch in revisions.items()])

    def _states(self, workflow_ids: Sequence[str]) -> dict[str, WorkflowStatus]:
        states: dict[str, WorkflowStatus] = {}
        for batch in _batches(workflow_ids):
            rows = self._client.list_workflows(
                workflow_ids=batch, load_input=False, load_output=True
            )
            states.update({job_of(row): row for row in rows})
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
    """Return the id of a workflow's job: workflow ids are ``job.track.stage``.

    From the first retry on, they are ``job.retry1.track.stage``: the engine runs no id twice. Of a
    render, ``id.run``, it is the render's id, and of a task, ``id.kind``, the task's.
    """
    return workflow.workflow_id.partition(".")[0]


def _workflow_of(job_id: str, n_retries: int) -> str:
    return f"{job_id}.retry{n_retries}" if n_retries else job_id


def _render_workflow(id: str, run: str) -> str:
    return f"{id}.{run}"


def _task_workflow(kind: TaskKind, id: str) -> str:
    return f"{id}.{kind}"


def _batch_workflow(id: str, revision: int) -> str:
    return f"{id}.batch{revision}"


def _batches(job_ids: Sequence[str]) -> Iterable[list[str]]:
    for start in range(0, len(job_ids), BATCH):
        yield list(job_ids[start : start + BATCH])
