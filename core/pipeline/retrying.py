"""Trying a job again: what stays for it when a job ends, and what of it is done again.

A failure that may pass (`StemcrateError.retryable`) leaves the upload where it is, and the files
between the stages of its track, from which the retry continues.
"""

from pathlib import Path

from core.artifacts.store import JobStore
from core.errors import JobNotRetryable, StorageFull
from stemcrate.schemas.manifest import (
    JobState,
    ProcessingManifest,
    ProcessingStage,
    StageDeaths,
    StageState,
    TrackRecord,
)


def keeps_upload(track: TrackRecord) -> bool:
    """Return whether a track of an ended job may be tried again, or is of use otherwise."""
    return track.state != JobState.FAILED or track.error is None or track.error.retryable


def kept_work(manifest: ProcessingManifest) -> set[str]:
    """Name the folders of files between stages that stay when a job ends.

    None stay after a full disk: they may be what fills it.
    """
    return {
        str(track.index)
        for track in manifest.tracks
        if track.error is not None and track.error.retryable
        if track.error.code != StorageFull.code
    }


def tidy(store: JobStore, job_id: str) -> None:
    """Remove the files between stages of an ended job that no retry continues from.

    Raises `JobNotFound`.
    """
    with store.locked(job_id) as manifest:
        if manifest.state.is_final:
            store.remove_work(job_id, keep=kept_work(manifest))


def retry_job(store: JobStore, job_id: str) -> ProcessingManifest:
    """Queue an ended job again, in its manifest. Raises `JobNotFound`, `JobNotRetryable`."""
    with store.update(job_id) as manifest:
        reset(manifest, store)
    return manifest


def can_retry(manifest: ProcessingManifest, store: JobStore) -> bool:
    """Return whether `reset` would leave anything to do."""
    return manifest.state.is_final and bool(_open_tracks(manifest, store) or _open_stages(manifest))


def reset(manifest: ProcessingManifest, store: JobStore) -> None:
    """Queue an ended job again, in place. Finished stages stay finished.

    A finished stage is done again where a later one needs files that are gone. So are the stages of
    the whole job when a track is. Raises `JobNotRetryable`.
    """
    if not manifest.state.is_final:
        raise JobNotRetryable(
            f"Job '{manifest.job_id}' is {manifest.state}.", hint="Wait for its end, or cancel it."
        )
    if not can_retry(manifest, store):
        raise _nothing_to_do(manifest)
    for track in (tracks := _open_tracks(manifest, store)):
        _reset_track(track, store.work_folder(manifest.job_id) / str(track.index))
    for record in manifest.stages if tracks else _open_stages(manifest):
        _reset_stage(record)
    manifest.state = JobState.QUEUED
    manifest.n_retries += 1
    manifest.started_at = manifest.finished_at = manifest.error = None


def _open_tracks(manifest: ProcessingManifest, store: JobStore) -> list[TrackRecord]:
    """List the tracks of an ended job that can be tried again."""
    return [
        track
        for track in manifest.tracks
        if keeps_upload(track) and _is_open(track)
        if store.has_upload(track.source.sha256, manifest.job_id)
    ]


def _is_open(track: TrackRecord) -> bool:
    return track.state != JobState.COMPLETED or any(map(_is_stage_open, track.stages))


def _open_stages(manifest: ProcessingManifest) -> list[ProcessingStage]:
    return [record for record in manifest.stages if _is_stage_open(record)]


def _is_stage_open(record: ProcessingStage) -> bool:
    if record.state == StageState.FAILED:
        return record.error is not None and record.error.retryable
    return record.state == StageState.CANCELLED


def _reset_track(track: TrackRecord, work: Path) -> None:
    track.state, track.error = JobState.QUEUED, None
    for record in track.stages:
        if record.state == StageState.RUNNING or _is_stage_open(record):
            _reset_stage(record)
    if any(not record.state.is_final for record in track.stages):
        for record in track.stages:
            if record.state == StageState.COMPLETED and not _has_files(record, work):
                _reset_stage(record)


def _has_files(record: ProcessingStage, work: Path) -> bool:
    names = record.work_files
    return names is not None and all((work / name).exists() for name in names)


def _reset_stage(record: ProcessingStage) -> None:
    record.state, record.error = StageState.PENDING, None
    record.started_at = record.seconds = None
    record.deaths = StageDeaths()
    record.warnings = []


def _nothing_to_do(manifest: ProcessingManifest) -> JobNotRetryable:
    if all(track.state == JobState.COMPLETED for track in manifest.tracks):
        return JobNotRetryable(f"Job '{manifest.job_id}' is completed: nothing of it failed.")
    return JobNotRetryable(
        f"Nothing of job '{manifest.job_id}' can be tried again: what failed would fail again, so "
        "its files were deleted.",
        hint="Send files that can be processed, as a new job.",
    )
