"""A job as durable workflows: finished work is never repeated, whatever dies in between.

    jobs     process_job(job_id)                  starts the job, queues its tracks, finishes it
    tracks   process_track(job_id, index)         walks through the stages of one track
    gpu/cpu  run_stage(job_id, stage, index)      one stage, in one step

`AudioPipeline` defines the order and the rules; here a stage is queued and awaited.
Ids consist of the job's id, the track's index and the stage's name (`core.jobs.queue.job_of`), so a
workflow that is replayed after a crash finds what it had started. Replay is deterministic because
it depends only on the manifest's options, which never change, and on the recorded results of
stages.
"""

import logging
from collections.abc import Callable
from typing import Any

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID, WorkflowHandle, error  # noqa: TID251

from core.errors import DatabaseUnavailable, JobNotFound
from core.jobs.patience import patiently
from core.jobs.progress import ProgressLog
from core.jobs.queue import (
    JOB_WORKFLOW,
    RESULT_POLL_S,
    STAGE_WORKFLOW,
    TRACK_WORKFLOW,
    TRACKS_QUEUE,
)
from core.jobs.recovery import current_claim
from core.jobs.runner import StageRunner
from core.pipeline.attempts import NotOwned
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.stage_ref import StageRef
from core.system.logs import work_in_log
from stemcrate.schemas.manifest import JobState, ProcessingManifest, StageState

logger = logging.getLogger(__name__)

NO_LIMIT = None
"""The engine counts every restart of a worker; what counts against a stage is in the manifest
(`core.pipeline.attempts`)."""


def register_workflows(
    pipeline: AudioPipeline, runner: StageRunner, log: ProgressLog, *, ended: Callable[[], None]
) -> None:
    """Register the workflows, once in a process, before the engine is launched.

    ``ended`` is called whenever a job ends here; it must return at once.
    """

    @DBOS.workflow(name=STAGE_WORKFLOW, max_recovery_attempts=NO_LIMIT)
    def run_stage(job_id: str, stage_name: str, track_index: int | None) -> str:
        claim = current_claim()

        def carry_out() -> str:
            try:
                return runner.run(StageRef(job_id, stage_name, track_index), claim.is_valid).value
            except NotOwned as lost:
                # The engine then waits for what the new owner records.
                raise error.DBOSWorkflowConflictIDError(claim.workflow_id) from lost

        return DBOS.run_step({"name": stage_name}, carry_out)

    def queue_stage(ref: StageRef) -> StageState:
        queue_name = pipeline.stage(ref.stage_name).queue
        handle = _enqueue(
            queue_name, run_stage, ref.stage_name, ref.job_id, ref.stage_name, ref.track_index
        )
        try:
            return StageState(handle.get_result(polling_interval_sec=RESULT_POLL_S))
        except error.DBOSAwaitedWorkflowCancelledError:
            return StageState.CANCELLED

    @DBOS.workflow(name=TRACK_WORKFLOW, max_recovery_attempts=NO_LIMIT)
    def process_track(job_id: str, index: int) -> None:
        with work_in_log(job_id, track_index=index):
            _unless_deleted(lambda: process_stages(job_id, index))

    def process_stages(job_id: str, index: int) -> None:
        if not pipeline.run_track(job_id, index, queue_stage):
            patiently(lambda: pipeline.cancel(job_id))

    @DBOS.workflow(name=JOB_WORKFLOW, max_recovery_attempts=NO_LIMIT)
    def process_job(job_id: str) -> None:
        with work_in_log(job_id):
            _unless_deleted(lambda: process(job_id))

    def process(job_id: str) -> None:
        n_tracks = patiently(lambda: pipeline.start(job_id))
        manifest = pipeline.store.load(job_id)
        tell_state(log, manifest, manifest.state)
        handles = [
            _enqueue(TRACKS_QUEUE, process_track, index, job_id, index, owner=manifest.owner)
            for index in range(n_tracks)
        ]
        for handle in handles:
            try:
                handle.get_result(polling_interval_sec=RESULT_POLL_S)
            except error.DBOSAwaitedWorkflowCancelledError:
                logger.info("cancelled")
        if not pipeline.run_job_stages(job_id, queue_stage):
            patiently(lambda: pipeline.cancel(job_id))
        state = patiently(lambda: pipeline.close(job_id))
        patiently(lambda: log.tell(manifest, state))  # webhooks wait for it
        ended()


def tell_state(log: ProgressLog, manifest: ProcessingManifest, state: JobState) -> None:
    """Log a job's change of state."""
    try:
        log.tell(manifest, state)
    except DatabaseUnavailable as problem:
        logger.warning("cannot log an event: %s", problem)


def _enqueue(
    queue_name: str,
    workflow: Callable[..., Any],
    part: str | int,
    *arguments: str | int | None,
    owner: str | None = None,
) -> WorkflowHandle[Any]:
    """Queue a part of the workflow that runs here, unless that was done before."""
    # Tracks with a low index first: a small job does not wait for all of a large one.
    index = next((value for value in arguments if isinstance(value, int)), 0)
    workflow_id = f"{DBOS.workflow_id}.{part}"
    with (
        SetWorkflowID(workflow_id),
        SetEnqueueOptions(priority=index + 1, queue_partition_key=owner),
    ):
        return DBOS.enqueue_workflow(queue_name, workflow, *arguments)


def _unless_deleted(work: Callable[[], None]) -> None:
    try:
        work()
    except JobNotFound:
        logger.info("the job was deleted while it ran")
