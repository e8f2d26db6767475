"""A pipeline over a temporary store, and jobs run on the spot."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.pipeline.order import build_pipeline
from core.pipeline.pipeline import AudioPipeline
from stemcrate.schemas.manifest import ProcessingManifest
from stemcrate.schemas.options import ProcessingOptions

RunJob = Callable[..., ProcessingManifest]


@pytest.fixture
def pipeline(tmp_path: Path) -> AudioPipeline:
    return build_pipeline(JobStore(tmp_path / "data"))


@pytest.fixture
def run_job(pipeline: AudioPipeline) -> RunJob:
    """Run files through the pipeline; Spleeter unless another model is asked for."""

    def run(*paths: Path, **options: object) -> ProcessingManifest:
        job_id = new_job_id()
        uploads = []
        for path in paths:
            with pipeline.store.open_upload(path.name, 10**9) as upload:
                upload.write(path.read_bytes())
                uploads.append(upload.commit(job_id))
        asked = ProcessingOptions.model_validate({"model": "spleeter", **options})
        pipeline.create_job(uploads, asked, job_id=job_id)
        pipeline.run(job_id, pipeline.run_stage)
        return pipeline.store.load(job_id)

    return run
