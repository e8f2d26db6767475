"""The one pipeline behind browser, REST and command line.

`AudioPipeline.run` walks through the stages of a job in order. How a single stage is carried out is
up to the caller: directly (`AudioPipeline.run_stage`, the command line) or as a durable step
(`core.jobs`). The rules are the same for both and live here: which stages a job has, what happens
when one fails, and how the job ends.
"""

import platform
import shutil
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from core.analysis.store import FactStore
from core.artifacts.store import JobStore, new_job_id
from core.artifacts.uploads import Upload
from core.errors import StorageFull
from core.pipeline.attempt import attempt
from core.pipeline.context import JobContext, StageContext
from core.pipeline.outcome import Outcome, conclude, failure_of
from core.pipeline.runtime import Runtime
from core.pipeline.stage import (
    AnyStage,
    JobStage,
    StageRef,
    TrackStage,
)
from core.system.clock import now
from core.system.progress import Cancelled, Progress
from stemcrate.schemas.manifest import (
    Failure,
    JobState,
    ProcessingManifest,
    ProcessingStage,
    SourceRecord,
    StageState,
    TrackRecord,
)
from stemcrate.schemas.options import ProcessingOptions, RecordedOptions

RECORDED_PACKAGES = ("stemcrate", "torch", "demucs", "soundfile", "av", "soxr", "numpy", "scipy")


RunStage = Callable[[StageRef], StageState]
"""Carries out one stage and returns the state that it ended in."""


def _ignore(_: float) -> None:
    return None


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
        manifest = ProcessingManifest(
            job_id=job_id or new_job_id(),
            created_at=now(),
            options=RecordedOptions.of(options),
            software=_software(),
            tracks=[
                TrackRecord(
                    index=index,
                    source=SourceRecord(
                        name=upload.name, sha256=upload.sha256, bytes=upload.n_bytes
                    ),
                    stages=[_record(stage, options) for stage in self.track_stages(options)],
                )
                for index, upload in enumerate(uploads)
            ],
            stages=[_record(stage, options) for stage in self.job_stages(options)],
        )
        self.store.create(manifest)
        return manifest

    # running

    def run(self, job_id: str, run_stage: RunStage) -> JobState:
        """Run every stage of a job in order, then close its manifest.

        A disk too full even for the manifest ends the job as failed.
        """
        try:
            n_tracks = self.start(job_id)
            for index in range(n_tracks):
                self.run_track(job_id, index, run_stage)
            return self.finish(job_id, run_stage)
        except StorageFull as error:
            return self.close(job_id, failure_of(error))

    def start(self, job_id: str) -> int:
        """Mark a job as running; give the number of its tracks."""
        with self.store.update(job_id) as manifest:
            if not manifest.state.is_final:
                manifest.state = JobState.RUNNING
                manifest.started_at = manifest.started_at or now()
            return len(manifest.tracks)

    def run_track(self, job_id: str, index: int, run_stage: RunStage) -> None:
        """Run the stages of one track; an essential stage that fails ends the track."""
        for stage in self.track_stages(self.store.load(job_id).options):
            state = run_stage(StageRef(job_id, stage.name, index))
            if state == StageState.CANCELLED:
                self.cancel(job_id)
                return
            if state == StageState.FAILED and stage.essential:
                return

    def finish(self, job_id: str, run_stage: RunStage) -> JobState:
        """Run the stages of the whole job, then close its manifest."""
        manifest = self.store.load(job_id)
        if any(track.error is None for track in manifest.tracks):
            for stage in self.job_stages(manifest.options):
                if run_stage(StageRef(job_id, stage.name)) == StageState.CANCELLED:
                    self.cancel(job_id)
                    break
        return self.close(job_id)

    def close(self, job_id: str, failure: Failure | None = None) -> JobState:
        """End a job: completed when at least one track is, unless cancelled or ``failure``."""
        try:
            manifest = self._conclude(job_id, failure)
        except StorageFull:
            self.store.remove_work(job_id)  # its own room is the last that there is
            manifest = self._conclude(job_id, failure)
        self.store.remove_work(job_id)
        for track in manifest.tracks:
            if track.state == JobState.FAILED:
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
        progress: Progress = _ignore,
        cancelled: Cancelled = _never,
    ) -> StageState:
        """Run one stage in this process and record it.

        A stage that ended before (the process was killed before it could say so) is not run
        again. Returns the stage's final state; never raises for a failed stage.
        """
        stage = self.stage(ref.stage_name)
        with self.store.update(ref.job_id) as manifest:
            record = manifest.stage(ref.stage_name, ref.track_index)
            if record.state in (StageState.COMPLETED, StageState.FAILED):
                return record.state
            if manifest.state.is_final:
                return StageState.CANCELLED
            record.state = StageState.RUNNING
            record.attempts += 1
            record.started_at = now()
        began = time.perf_counter()
        context = self._context(ref, manifest, progress, cancelled)
        cache = self.store.stage_cache(self.runtime.cache_max_bytes)
        outcome = attempt(
            stage, context, cache, is_deleted=lambda: not self.store.exists(ref.job_id)
        )
        outcome.seconds = round(time.perf_counter() - began, 3)
        return self._save(ref, stage, outcome)

    def fail_stage(self, ref: StageRef, failure: Failure) -> StageState:
        """Record as failed a stage that could not record itself. Raises `StorageFull`."""
        try:
            return self._write_failure(ref, failure)
        except StorageFull:
            if ref.track_index is None or not self.stage(ref.stage_name).essential:
                raise
            # The track ends here: its own work may fill the last of the disk.
            shutil.rmtree(self._work_folder(ref.job_id, ref.track_index), ignore_errors=True)
            return self._write_failure(ref, failure)

    def _write_failure(self, ref: StageRef, failure: Failure) -> StageState:
        stage = self.stage(ref.stage_name)
        with self.store.update(ref.job_id) as manifest:
            if manifest.state.is_final:
                return StageState.CANCELLED
            record = manifest.stage(ref.stage_name, ref.track_index)
            record.state, record.error = StageState.FAILED, failure
            if ref.track_index is not None and stage.essential:
                track = manifest.tracks[ref.track_index]
                track.state, track.error = JobState.FAILED, failure
        return StageState.FAILED

    def warm_up(self) -> None:
        """Warm up every stage, so that the first job is as fast as the next."""
        for stage in self.stages:
            stage.warm_up(self.runtime)

    def _context(
        self,
        ref: StageRef,
        manifest: ProcessingManifest,
        progress: Progress,
        cancelled: Cancelled,
    ) -> StageContext | JobContext:
        common: dict[str, Any] = {
            "stage_name": ref.stage_name,
            "options": manifest.options,
            "runtime": self.runtime,
            "folder": self.store.job_folder(manifest.job_id),
            "taken_names": [artefact.name for artefact in manifest.all_artefacts()],
            "progress": progress,
            "cancelled": cancelled,
        }
        if ref.track_index is None:
            return JobContext(manifest=manifest, **common)
        track = manifest.tracks[ref.track_index]
        return StageContext(
            track=track,
            source=self.store.upload_path(track.source.sha256),
            work_folder=self._work_folder(manifest.job_id, ref.track_index),
            fact_store=FactStore(self.store.data_dir, self.runtime.cache_max_bytes),
            **common,
        )

    def _work_folder(self, job_id: str, track_index: int) -> Path:
        return self.store.work_folder(job_id) / str(track_index)

    def _save(self, ref: StageRef, stage: AnyStage, outcome: Outcome) -> StageState:
        with self.store.update(ref.job_id) as manifest:
            if manifest.state.is_final:
                return StageState.CANCELLED
            outcome.write(manifest, stage, ref.track_index)
        return outcome.state


def _record(stage: AnyStage, options: ProcessingOptions) -> ProcessingStage:
    return ProcessingStage(
        name=stage.name, version=stage.version, parameters=stage.parameters(options)
    )


def _software() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in RECORDED_PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions
