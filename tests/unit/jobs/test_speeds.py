"""Speeds of models, from the manifests of ended jobs."""

from datetime import UTC, datetime
from pathlib import Path

from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.jobs.speeds import Speeds
from stemcrate.schemas.manifest import (
    JobState,
    ModelRecord,
    ProcessingManifest,
    ProcessingStage,
    SourceRecord,
    StageState,
    TrackRecord,
)
from stemcrate.schemas.options import RecordedOptions


def track(index: int, seconds: float, *, is_reused: bool = False) -> TrackRecord:
    source = SourceRecord(name="a.wav", sha256="0" * 64, bytes=1, duration_s=60.0)
    stage = ProcessingStage(
        name="separation",
        version="1",
        state=StageState.COMPLETED,
        seconds=seconds,
        cache_hit=is_reused,
    )
    return TrackRecord(index=index, source=source, state=JobState.COMPLETED, stages=[stage])


def add_job(
    store: JobStore, *tracks: TrackRecord, preset: str = "balanced", **fields: object
) -> str:
    options = RecordedOptions.model_validate({"preset": preset})
    values = {
        "job_id": new_job_id(),
        "state": JobState.COMPLETED,
        "created_at": datetime.now(UTC),
        "options": options,
        "model": ModelRecord(name="spleeter"),
        "tracks": list(tracks),
        **fields,
    }
    manifest = ProcessingManifest.model_validate(values)
    store.create(manifest)
    return manifest.job_id


def test_the_median_of_what_ran_counts(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    add_job(store, track(0, 10.0), track(1, 20.0), track(2, 30.0))
    add_job(store, track(0, 60.0), preset="best")
    add_job(store, track(0, 0.1, is_reused=True))
    assert Speeds(store).realtime_factors() == {"spleeter": {"balanced": 3.0, "best": 1.0}}


def test_a_job_counts_once_it_has_ended(tmp_path: Path) -> None:
    """A job that was looked at while it ran must not be left out for ever."""
    store = JobStore(tmp_path)
    speeds = Speeds(store)
    job_id = add_job(store, track(0, 10.0), state=JobState.RUNNING)
    assert speeds.realtime_factors() == {}
    with store.update(job_id) as manifest:
        manifest.state = JobState.COMPLETED
    assert speeds.realtime_factors() == {"spleeter": {"balanced": 6.0}}
    store.delete(job_id)
    assert speeds.realtime_factors() == {}
