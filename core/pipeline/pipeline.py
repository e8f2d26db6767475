"""The one pipeline behind browser, REST and command line.

`AudioPipeline.run` walks through the stages of a job in order. How a single stage is carried out is
up to the caller: directly (`AudioPipeline.run_stage`, the command line) or as a durable step
(`core.jobs`). The rules are the same for both and live here: which stages a job has, what happens
when one fails, and how the job ends.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.artifacts.uploads import Upload
from core.errors import DatabaseUnavailable, JobNotFound, StageFailed, StorageFull
from core.pipeline.attempt_files import AttemptFiles
from core.pipeline.attempts import Attempts, is_newest
from core.pipeline.contexts import StageContexts
from core.pipeline.execution import execute_stage
from core.pipeline.new_job import new_manifest
from core.pipeline.outcome import Outcome, conclude, failure_of
from core.pipeline.retrying import keeps_upload, tidy
from core.pipeline.runtime import Runtime
from core.pipeline.stage import AnyStage, JobStage, TrackStage
from core.pipeline.stage_ref import Attempt, StageRef
from core.system.clock import now
from core.system.progress import Cancelled, Progress, ignore_progress
from stemcrate.schemas.manifest import (
    Failure,
    JobState,
    ProcessingManifest,
    StageState,
)
from stemcrate.schemas.options import ProcessingOptions
from stemcrate.schemas.owners import LOCAL

T = TypeVar("T")
logger = logging.getLogger(__name__)

OUTAGE_S = 120.0
"""How long a stage waits for the database of several hosts to record itself, before it fails."""

RunStage = Callable[[StageRef], StageState]
"""Carries out one stage and returns the state that it ended in."""


def _never() -> bool:
    return False


class AudioPipeline:
    """Stages in their order, over one store."""

    def __init__(
        self, stages: Sequence[AnyStage], store: JobStore, runtime: Runtime | None = None
    ) -> None:
        self.stages = tuple(stages)
        self.store = store
        self.runtime = runtime or Runtime()
        self.attempts = Attempts(store, lambda name: self.stage(name).essential)
        self._contexts = StageContexts(store, self.runtime, self.stage, self.attempts)

    # planning

    def stage(self, name: str) -> AnyStage:
        """Return the stage of this name."""
        return next(stage for stage in self.stages if stage.name == name)

    def track_stages(self, options: ProcessingOptions) -> list[TrackStage]:
        """List the stages that each track of a job with these options runs, in order."""
        return [s for s in self.stages if isinstance(s, TrackStage) and s.is_wanted(options)]

    def job_stages(self, options: ProcessingOptions) -> list[JobStage]:
        """List the stages that follow for the whole job, in order."""
        return [s for s in self.stages if isinstance(s, JobStage) and s.is_wanted(options)]

    def create_job(
        self,
        uploads: Sequence[Upload],
        options: ProcessingOptions,
        *,
        job_id: str | None = None,
    ) -> ProcessingManifest:
        """Write the manifest of a new job that waits to be run."""
        manifest = new_manifest(
            job_id or new_job_id(),
            uploads,
            options,
            owner=self.store.owner or LOCAL,
            track_stages=self.track_stages(options),
            job_stages=self.job_stages(options),
        )
        self.store.create(manifest)
        return manifest

    # running

    def run(self, job_id: str, run_stage: RunStage) -> JobState:
        """Run every stage of a job in order, then close its manifest.

        A disk too full even for the manifest ends the job as failed.
        """
        try:
            for index in range(self.start(job_id)):
                if not self.run_track(job_id, index, run_stage):
                    self.cancel(job_id)
            if not self.run_job_stages(job_id, run_stage):
                self.cancel(job_id)
            return self.close(job_id)
        except StorageFull as error:
            return self.close(job_id, failure_of(error))

    def start(self, job_id: str) -> int:
        """Mark a job as running; give the number of its tracks."""
        with self.store.update(job_id) as manifest:
            if not manifest.state.is_final:
                manifest.state = JobState.RUNNING
                manifest.started_at = manifest.started_at or now()
            return len(manifest.tracks)

    def run_track(self, job_id: str, index: int, run_stage: RunStage) -> bool:
        """Run the stages of one track; an essential stage that fails ends the track.

        Returns False if a stage was cancelled.
        """
        for stage in self.track_stages(self.store.load(job_id).options):
            state = run_stage(StageRef(job_id, stage.name, index))
            if state == StageState.CANCELLED:
                return False
            if state == StageState.FAILED and stage.essential:
                break
        return True

    def run_job_stages(self, job_id: str, run_stage: RunStage) -> bool:
        """Run the stages of the whole job, unless every track failed.

        Returns False if a stage was cancelled.
        """
        manifest = self.store.load(job_id)
        if all(track.error is not None for track in manifest.tracks):
            return True
        return all(
            run_stage(StageRef(job_id, stage.name)) != StageState.CANCELLED
            for stage in self.job_stages(manifest.options)
        )

    def close(self, job_id: str, failure: Failure | None = None) -> JobState:
        """End a job: completed when at least one track is, unless cancelled or ``failure``."""
        try:
            manifest = self._conclude(job_id, failure)
        except StorageFull:
            with self.store.locked(job_id):
                self.store.remove_work(job_id)  # its own room is the last that there is
            manifest = self._conclude(job_id, failure)
        tidy(self.store, job_id)
        for track in manifest.tracks:
            if not keeps_upload(track):
                self.store.release_upload(track.source.sha256, job_id)
        return manifest.state

    def _conclude(self, job_id: str, failure: Failure | None) -> ProcessingManifest:
        with self.store.update(job_id) as manifest:
            if not manifest.state.is_final:
                conclude(manifest, failure)
        return manifest

    def cancel(self, job_id: str) -> JobState:
        """Mark a job as cancelled, unless it has ended. What it had delivered stays listed."""
        with self.store.update(job_id) as manifest:
            if not manifest.state.is_final:
                manifest.error = Failure(code="job_cancelled", message="The job was cancelled.")
                manifest.state = JobState.CANCELLED
                manifest.finished_at = now()
                for record in manifest.all_stages():
                    if record.state in (StageState.PENDING, StageState.RUNNING):
                        record.state = StageState.CANCELLED
                for track in manifest.tracks:
                    if not track.state.is_final:
                        track.state = JobState.CANCELLED
            return manifest.state

    def run_stage(
        self,
        ref: StageRef,
        *,
        progress: Progress = ignore_progress,
        cancelled: Cancelled = _never,
    ) -> StageState:
        """Run one stage in this process and record it.

        A stage that ended before (the process was killed before it could say so) is not run
        again. Returns the stage's final state; never raises for a failed stage.
        """
        begun = self.attempts.begin(ref)
        if isinstance(begun, StageState):
            return begun
        state = self.run_attempt(begun, progress=progress, cancelled=cancelled)
        if state is None:
            raise StageFailed("Another process runs this job as well.")
        return state

    def run_attempt(
        self,
        attempt: Attempt,
        *,
        progress: Progress = ignore_progress,
        cancelled: Cancelled = _never,
    ) -> StageState | None:
        """Run an attempt that has begun, in this process, and record its outcome.

        Returns the stage's state; None if a newer attempt has taken over, which changes nothing.
        """
        stage = self.stage(attempt.ref.stage_name)
        entered = _through_outage(lambda: self.attempts.enter(attempt))
        if entered is None:
            return None
        manifest, files = entered
        began = time.perf_counter()
        context = self._contexts.make(attempt.ref, manifest, files, progress, cancelled)
        cache = self.store.stage_cache(self.runtime.cache_max_bytes)
        outcome = execute_stage(
            stage, context, cache, is_given_up=lambda: self.is_given_up(attempt)
        )
        outcome.seconds = round(time.perf_counter() - began, 3)
        if outcome.state == StageState.COMPLETED:
            # Before the manifest names them. Names hold hashes: a late attempt overwrites nothing.
            self.store.put_artefacts(attempt.ref.job_id, files.artefacts(), outcome.artefacts)
        return _through_outage(lambda: self._save(attempt, files, outcome))

    def is_given_up(self, attempt: Attempt) -> bool:
        """Return whether nobody wants an attempt's result: its job is over, or a newer one runs.

        One that has recorded how it ended is not given up: its process is about to say so.
        """
        try:
            manifest = self.store.load(attempt.ref.job_id)
        except JobNotFound:
            return True
        except DatabaseUnavailable:
            return False
        record = manifest.stage(attempt.ref.stage_name, attempt.ref.track_index)
        has_ended = record.state in (StageState.COMPLETED, StageState.FAILED)
        is_current = record.attempts == attempt.number and (
            has_ended or record.state == StageState.RUNNING
        )
        return manifest.state.is_final or not is_current

    def fail_stage(self, attempt: Attempt, failure: Failure) -> StageState | None:
        """Record as failed an attempt that could not record itself; None if it is not the newest.

        Raises `JobNotFound` and `StorageFull`.
        """
        ref = attempt.ref
        try:
            return self.attempts.fail(attempt, failure)
        except StorageFull:
            if ref.track_index is None or not self.stage(ref.stage_name).essential:
                raise
            # The track ends here: its own work may fill the last of the disk.
            with self.store.locked(ref.job_id):
                self.store.remove_work(ref.job_id, only=str(ref.track_index))
            return self.attempts.fail(attempt, failure)

    def warm_up(self) -> None:
        """Warm up every stage, so that the first job is as fast as the next."""
        for stage in self.stages:
            stage.warm_up(self.runtime)

    def _save(self, attempt: Attempt, files: AttemptFiles, outcome: Outcome) -> StageState | None:
        """Publish the files and the outcome of the newest attempt; drop those of any other."""
        ref = attempt.ref
        with self.store.update(ref.job_id) as manifest:
            if manifest.state.is_final or not is_newest(manifest, attempt):
                files.remove()
                return StageState.CANCELLED if manifest.state.is_final else None
            if outcome.state == StageState.COMPLETED:
                published = files.publish()
                files.remove()
            else:
                published = None
                files.discard()
            outcome.write(manifest, self.stage(ref.stage_name), ref.track_index, published)
        return outcome.state


def _through_outage(work: Callable[[], T]) -> T:
    """Do what reads or writes a manifest, again while the database does not answer."""
    deadline = time.monotonic() + OUTAGE_S
    while True:
        try:
            return work()
        except DatabaseUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(1.0)
