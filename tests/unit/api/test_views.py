"""Manifests as the API describes them."""

from api.views import job_summary, job_view
from core.jobs.progress import JobProgress
from core.system.clock import now
from stemcrate.schemas.manifest import JobState, ProcessingManifest, SourceRecord, TrackRecord


def test_a_job_counts_the_tracks_that_failed() -> None:
    """A job that completes without some of its tracks looked like one that completes with all."""
    states = (JobState.COMPLETED, JobState.FAILED, JobState.FAILED)
    tracks = [
        TrackRecord(index=n, source=SourceRecord(name="a", sha256="0", bytes=1), state=state)
        for n, state in enumerate(states)
    ]
    manifest = ProcessingManifest(
        job_id="id", created_at=now(), tracks=tracks, state=JobState.COMPLETED
    )
    progress = JobProgress(None, None, 1.0, None, None)
    assert job_view(manifest, progress).n_failed_tracks == 2
    assert job_summary(manifest).n_failed_tracks == 2
    assert "n_failed_tracks" not in manifest.model_dump()
