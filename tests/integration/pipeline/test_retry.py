"""A job that is tried again does what is missing, with the same result as one that never failed."""

from pathlib import Path

import pytest

from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.errors import JobNotRetryable, StemcrateError, StorageFull, WorkerLost
from core.pipeline.context import StageContext
from core.pipeline.order import build_pipeline
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.results import StageResult
from core.pipeline.retrying import can_retry, retry_job
from core.pipeline.stages.delivery import DeliveryStage
from stemcrate.schemas.manifest import ProcessingManifest
from stemcrate.schemas.options import ProcessingOptions
from tests.integration.pipeline.conftest import RunJob
from tests.signals import make_song, write_song


class _FailsOnce(DeliveryStage):
    """Delivery that does not get to its end the first time."""

    def __init__(self, error: StemcrateError) -> None:
        self._errors = [error]

    def execute(self, context: StageContext) -> StageResult:
        result = super().execute(context)
        if self._errors:
            raise self._errors.pop()
        return result


def make_pipeline(folder: Path, error: StemcrateError) -> AudioPipeline:
    whole = build_pipeline(JobStore(folder))
    stages = [_FailsOnce(error) if isinstance(s, DeliveryStage) else s for s in whole.stages]
    return AudioPipeline(stages, whole.store, whole.runtime)


def submit(pipeline: AudioPipeline, song: Path) -> str:
    job_id = new_job_id()
    with pipeline.store.open_upload(song.name, 10**9) as upload:
        upload.write(song.read_bytes())
        uploads = [upload.commit(job_id)]
    options = ProcessingOptions.model_validate({"model": "spleeter", "stages": ("tempo",)})
    pipeline.create_job(uploads, options, job_id=job_id)
    return job_id


def attempts(manifest: ProcessingManifest) -> dict[str, int]:
    return {record.name: record.attempts for record in manifest.all_stages()}


@pytest.mark.parametrize(
    ("error", "repeated"),
    [
        (WorkerLost("The worker was killed."), {"delivery"}),
        # What a full disk leaves is removed; the stems come back from the cache.
        (StorageFull("The disk is full."), {"decode", "separation", "delivery"}),
    ],
    ids=["worker_lost", "storage_full"],
)
def test_a_retry_does_what_is_missing(
    tmp_path: Path, run_job: RunJob, error: StemcrateError, repeated: set[str]
) -> None:
    song = write_song(tmp_path / "song.wav", make_song(2.0, 44100), 44100)
    pipeline = make_pipeline(tmp_path / "again", error)
    job_id = submit(pipeline, song)
    assert pipeline.run(job_id, pipeline.run_stage) == "failed"
    failed = pipeline.store.load(job_id)
    assert failed.tracks[0].artefacts == []
    has_work = pipeline.store.work_folder(job_id).exists()
    assert has_work == isinstance(error, WorkerLost)

    retry_job(pipeline.store, job_id)
    assert pipeline.run(job_id, pipeline.run_stage) == "completed"

    manifest = pipeline.store.load(job_id)
    assert {name for name, n in attempts(manifest).items() if n == 2} == repeated
    assert manifest.stage("separation", 0).cache_hit == ("separation" in repeated)
    assert not pipeline.store.work_folder(job_id).exists()
    whole = run_job(song, stages=("tempo",))
    assert [(a.name, a.sha256) for a in manifest.all_artefacts()] == [
        (a.name, a.sha256) for a in whole.all_artefacts()
    ]


def test_what_cannot_be_tried_again_is_refused(
    tmp_path: Path, pipeline: AudioPipeline, run_job: RunJob
) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no music at all" * 50)
    failed = run_job(bad)
    done = run_job(write_song(tmp_path / "a.wav", make_song(1.0, 44100), 44100), model="none")
    waiting = submit(pipeline, tmp_path / "a.wav")
    for job_id, why in (
        (failed.job_id, "would fail again"),
        (done.job_id, "nothing of it failed"),
        (waiting, "is queued"),
    ):
        assert not can_retry(pipeline.store.load(job_id), pipeline.store)
        before = pipeline.store.read_manifest(job_id)
        with pytest.raises(JobNotRetryable, match=why):
            retry_job(pipeline.store, job_id)
        assert pipeline.store.read_manifest(job_id) == before
