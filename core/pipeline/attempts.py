"""Attempts at stages, recorded in the manifest: who may write, and what counts against a stage.

Every attempt has a number, and the newest alone may write. An attempt begins, and its results
appear, under the job's lock, so whoever was paused in between, or works on although another worker
took over, finds that its number is no longer the newest and leaves everything as it is.

A stage fails when its process dies again and again. A restart of its worker does not count, nor
does a death after which the stage had come further than at the one before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.artifacts.store import JobStore
from core.errors import WorkerLost
from core.pipeline.attempt_files import AttemptFiles, kept_bytes
from core.pipeline.outcome import failure_of
from core.pipeline.stage_ref import Attempt, StageRef
from core.system.clock import now
from stemcrate.schemas.manifest import (
    Failure,
    JobState,
    ProcessingManifest,
    ProcessingStage,
    StageState,
)

JOB_FOLDER = "job"  # of the files of stages of the whole job; tracks have numbers


@dataclass(frozen=True, slots=True)
class DeathLimits:
    """Deaths in a row, without progress between them, after which a stage fails.

    Attributes
    ----------
    process : of the stage's process alone: the stage crashes or exhausts the memory.
    worker : of the worker or the machine. Whoever kills or restarts it need not have looked at the
        stage, which only happened to run; but one that takes its machine down must not do so for
        ever.
    """

    process: int = 3
    worker: int = 10


def _always() -> bool:
    return True


class NotOwned(Exception):
    """Another worker has taken the stage over; this one leaves everything as it is."""


class Attempts:
    """Begins and ends attempts.

    Methods raise `JobNotFound` and `StorageFull`. They return None for an attempt that is not the
    newest one, and change nothing then.

    Parameters
    ----------
    is_essential : whether a track without the result of the stage of this name is of no use.
    """

    def __init__(self, store: JobStore, is_essential: Callable[[str], bool]) -> None:
        self._store = store
        self._is_essential = is_essential

    def begin(
        self,
        ref: StageRef,
        *,
        is_owned: Callable[[], bool] = _always,
        limits: DeathLimits = DeathLimits(),
    ) -> Attempt | StageState:
        """Begin the next attempt at a stage; return its state instead if it or its job has ended.

        ``is_owned``, called under the job's lock, returns whether the stage is still this worker's.
        Raises `NotOwned`.
        """
        with self._store.update(ref.job_id) as manifest:
            record = manifest.stage(ref.stage_name, ref.track_index)
            if record.state in (StageState.COMPLETED, StageState.FAILED):
                return record.state
            if manifest.state.is_final:
                return StageState.CANCELLED
            if not is_owned():
                raise NotOwned(ref)
            if record.state == StageState.RUNNING and self._was_killed(ref, record, limits):
                self._fail(manifest, ref, _killed_workers(ref, record.deaths.worker))
                return StageState.FAILED
            record.state = StageState.RUNNING
            record.attempts += 1
            record.started_at = now()
            return Attempt(ref, record.attempts)

    def enter(self, attempt: Attempt) -> tuple[ProcessingManifest, AttemptFiles] | None:
        """Start to run an attempt; return the manifest and the attempt's files."""
        with self._store.locked(attempt.ref.job_id) as manifest:
            if not is_newest(manifest, attempt):
                return None
            files = self.files(attempt)
            files.enter()
            return manifest, files

    def count_death(
        self, attempt: Attempt, error: WorkerLost, limits: DeathLimits
    ) -> StageState | None:
        """Record that an attempt's process died; return the state of the stage."""
        ref = attempt.ref
        with self._store.update(ref.job_id) as manifest:
            if not is_newest(manifest, attempt):
                return None
            record = manifest.stage(ref.stage_name, ref.track_index)
            self._note_progress(ref, record)
            record.deaths.process += 1
            if record.deaths.process >= limits.process:
                self._fail(manifest, ref, _dead_processes(error, record.deaths.process))
            else:
                record.state = StageState.PENDING
            return record.state

    def give_back(self, attempt: Attempt) -> None:
        """Leave a stage to the next worker, uncounted."""
        with self._store.update(attempt.ref.job_id) as manifest:
            if is_newest(manifest, attempt):
                record = manifest.stage(attempt.ref.stage_name, attempt.ref.track_index)
                record.state = StageState.PENDING

    def fail(self, attempt: Attempt, failure: Failure) -> StageState | None:
        """Record an attempt as failed; return the state of the stage."""
        with self._store.update(attempt.ref.job_id) as manifest:
            if not is_newest(manifest, attempt):
                return None
            self._fail(manifest, attempt.ref, failure)
        return StageState.FAILED

    def files(self, attempt: Attempt) -> AttemptFiles:
        """Return the files of an attempt."""
        return AttemptFiles(
            attempt, self.shared_folder(attempt.ref), self._store.job_folder(attempt.ref.job_id)
        )

    def shared_folder(self, ref: StageRef) -> Path:
        """Return the folder of the files between the stages of a track, or of the job."""
        name = JOB_FOLDER if ref.track_index is None else str(ref.track_index)
        return self._store.work_folder(ref.job_id) / name

    def _was_killed(self, ref: StageRef, record: ProcessingStage, limits: DeathLimits) -> bool:
        """Count the death of the last attempt's worker; return whether that was the last one."""
        # On several hosts, the files of the last attempt may be on one that is gone.
        is_shared = self._store.storage.is_shared
        if not is_shared and not self.files(Attempt(ref, record.attempts)).has_run:
            return False
        self._note_progress(ref, record)
        record.deaths.worker += 1
        return record.deaths.worker >= limits.worker

    def _note_progress(self, ref: StageRef, record: ProcessingStage) -> None:
        n_kept = kept_bytes(self.shared_folder(ref), ref.stage_name)
        if n_kept > record.deaths.kept_bytes:
            record.deaths.process = record.deaths.worker = 0
            record.deaths.kept_bytes = n_kept

    def _fail(self, manifest: ProcessingManifest, ref: StageRef, failure: Failure) -> None:
        record = manifest.stage(ref.stage_name, ref.track_index)
        record.state, record.error = StageState.FAILED, failure
        if ref.track_index is not None and self._is_essential(ref.stage_name):
            track = manifest.tracks[ref.track_index]
            track.state, track.error = JobState.FAILED, failure


def is_newest(manifest: ProcessingManifest, attempt: Attempt) -> bool:
    """Return whether an attempt is the newest one of its stage and still runs."""
    record = manifest.stage(attempt.ref.stage_name, attempt.ref.track_index)
    return record.attempts == attempt.number and record.state == StageState.RUNNING


def _dead_processes(error: WorkerLost, n_deaths: int) -> Failure:
    message = error.message
    if n_deaths > 1:
        message += f" That happened {n_deaths} times in a row at the same point."
    return failure_of(WorkerLost(message, hint=error.hint))


def _killed_workers(ref: StageRef, n_deaths: int) -> Failure:
    return failure_of(
        WorkerLost(
            f"The worker was killed, or its machine went down, {n_deaths} times in a row while the "
            f"stage '{ref.stage_name}' ran, each time at the same point.",
            hint="The system's log may say why, for example that the memory ran out. Then try a "
            "smaller model or a shorter file.",
        )
    )
