"""The whole pipeline with a Demucs model from a local folder: four stems, every recipe."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.artifacts.store import JobStore
from core.pipeline.order import build_pipeline
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.runtime import Runtime
from tests.integration.pipeline.conftest import RunJob
from tests.models import write_tiny_htdemucs
from tests.signals import make_song, write_song


@pytest.fixture
def pipeline(tmp_path: Path) -> AudioPipeline:
    """A machine without a network that has htdemucs in MODEL_DIR."""
    model_dir = tmp_path / "models"
    model_dir.mkdir()
    write_tiny_htdemucs(model_dir, name="htdemucs", layout="hub")
    return build_pipeline(JobStore(tmp_path / "data"), Runtime(model_dir=model_dir))


def test_auto_takes_htdemucs_where_its_weights_are(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path
) -> None:
    """Four stems that null at 48 kHz, composites made of them, and the choice in the manifest."""
    path = write_song(tmp_path / "a.wav", make_song(2.0, 48000), 48000, "PCM_24")
    manifest = run_job(
        path,
        model="auto",
        normalization="off",
        stages=("composite", "harmonic_percussive"),
        custom_recipes={"rhythm": ("drums", "bass")},
    )
    assert manifest.state == "completed", manifest.error
    assert manifest.model.name == "htdemucs"
    assert manifest.model.reason
    assert manifest.device.model_dump() == {"requested": "auto", "name": "cpu", "fallbacks": []}
    folder = pipeline.store.job_folder(manifest.job_id)
    audio = {
        a.label: soundfile.read(folder / a.stored_as)[0]
        for a in manifest.tracks[0].artefacts
        if a.role in ("stem", "composite")
    }
    source = soundfile.read(path)[0]
    assert np.array_equal(sum(audio[s] for s in ("drums", "bass", "other", "vocals")), source)
    assert np.array_equal(audio["rhythm"], audio["drums"] + audio["bass"])
    assert np.array_equal(audio["drumless"] + audio["drums"], source)
    assert np.array_equal(audio["instrumental"] + audio["vocals"], source)
    assert manifest.stage("composite", 0).result["skipped"] == {}
