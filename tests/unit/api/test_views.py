"""Manifests as the API describes them."""

from api.views import job_view
from core.jobs.progress import JobProgress
from core.system.clock import now
from stemcrate.schemas.manifest import (
    Artefact,
    JobState,
    ProcessingManifest,
    SourceRecord,
    TrackRecord,
)


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
    assert job_view(manifest, progress, can_retry=False).n_failed_tracks == 2
    assert "n_failed_tracks" not in manifest.model_dump()


def test_a_job_counts_its_files_once_and_leaves_out_pictures() -> None:
    """ "What was done until then is kept" stood over a job without a file."""

    def artefact(name: str, role: str, **fields: str) -> Artefact:
        common = {"label": name, "stage": "delivery", "format": "wav", "sha256": "0", "bytes": 1}
        return Artefact.model_validate({"name": name, "role": role, **common, **fields})

    manifest = ProcessingManifest(job_id="id", created_at=now(), state=JobState.CANCELLED)
    progress = JobProgress(None, None, 1.0, None, None)
    assert job_view(manifest, progress, can_retry=False).n_files == 0
    manifest.artefacts = [
        artefact("vocals", "stem"),
        artefact("acapella", "composite", same_as="vocals"),
        artefact("waveforms", "waveform"),
    ]
    assert job_view(manifest, progress, can_retry=False).n_files == 1
