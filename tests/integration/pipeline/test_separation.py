"""Options of separation through the whole pipeline, and what the manifest says of them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.errors import InvalidOption, ModelUnavailable, StemcrateError, UnknownModel
from core.pipeline.order import build_pipeline
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.runtime import Runtime
from core.pipeline.separating import name_rest, plan_separation
from core.pipeline.stages.separation import SeparationStage
from stemcrate.schemas.manifest import ProcessingManifest
from stemcrate.schemas.options import ProcessingOptions
from tests.integration.pipeline.conftest import RunJob
from tests.models import write_tiny_htdemucs
from tests.signals import make_song, write_song


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    write_tiny_htdemucs(folder, name="htdemucs", layout="hub")
    write_tiny_htdemucs(
        folder, name="htdemucs_ft", layout="hub", seed=5, n_networks=4, weights=np.eye(4).tolist()
    )
    return folder


@pytest.fixture
def pipeline(tmp_path: Path, model_dir: Path) -> AudioPipeline:
    return build_pipeline(JobStore(tmp_path / "data"), Runtime(model_dir=model_dir))


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "song.wav", make_song(1.5, 44100), 44100, "PCM_24")


def _read(
    pipeline: AudioPipeline, manifest: ProcessingManifest, role: str
) -> dict[str, np.ndarray]:
    folder = pipeline.store.job_folder(manifest.job_id)
    return {
        a.label: soundfile.read(folder / a.stored_as)[0]
        for a in manifest.tracks[0].artefacts
        if a.role == role
    }


@pytest.mark.parametrize(
    ("stems", "rest"), [("vocals", "accompaniment"), ("drums", "rest"), ("drums,bass", "rest")]
)
def test_wanted_stems_and_the_rest_are_the_song(
    pipeline: AudioPipeline, run_job: RunJob, song: Path, stems: str, rest: str
) -> None:
    manifest = run_job(
        song, model="htdemucs_ft", stems=stems, normalization="off", stages=("composite",)
    )
    assert manifest.state == "completed", manifest.error
    audio = _read(pipeline, manifest, "stem")
    assert set(audio) == {*stems.split(","), rest}
    source = soundfile.read(song)[0]
    assert np.array_equal(sum(audio.values()), source)
    composites = _read(pipeline, manifest, "composite")
    if stems == "vocals":
        assert np.array_equal(composites["instrumental"], audio["accompaniment"])
        assert np.array_equal(composites["acapella"], audio["vocals"])


@pytest.mark.parametrize("combination", ["average", "min_spectrum", "max_spectrum"])
def test_an_ensemble_nulls_and_says_what_it_is(
    pipeline: AudioPipeline, run_job: RunJob, song: Path, combination: str
) -> None:
    manifest = run_job(
        song,
        model="htdemucs+htdemucs_ft",
        ensemble=combination,
        normalization="off",
        stages=("composite",),
    )
    assert manifest.state == "completed", manifest.error
    assert manifest.model.name == "htdemucs+htdemucs_ft"
    stems = _read(pipeline, manifest, "stem")
    assert np.array_equal(sum(stems.values()), soundfile.read(song)[0])


def test_models_with_one_stem_in_common_give_it_and_the_rest(
    pipeline: AudioPipeline, run_job: RunJob, song: Path
) -> None:
    manifest = run_job(song, model="htdemucs+spleeter", normalization="off", stages=())
    assert manifest.state == "completed", manifest.error
    stems = _read(pipeline, manifest, "stem")
    assert set(stems) == {"vocals", "accompaniment"}
    assert np.array_equal(sum(stems.values()), soundfile.read(song)[0])


def test_the_manifest_holds_a_quality_card_and_warns_of_silent_stems(
    run_job: RunJob, tmp_path: Path
) -> None:
    """A model that finds nothing is no success that goes without saying."""
    time = np.arange(88_200) / 44_100
    kick = 0.5 * np.sin(2 * np.pi * 50 * time) * np.exp(-20 * (time % 0.5))
    path = write_song(tmp_path / "kick.wav", np.stack([kick, kick]), 44_100)
    manifest = run_job(path, model="spleeter", stages=())
    card = manifest.tracks[0].analysis.separation_quality
    assert card is not None
    assert set(card.stems) == {"vocals", "accompaniment"}
    assert card.stems["vocals"].is_silent
    assert card.residual_dbfs is None or card.residual_dbfs < -120
    assert [w.code for w in manifest.all_warnings()] == ["silent_stem"]


@pytest.mark.parametrize(
    ("preset", "model"),
    [("fast", "spleeter"), ("best", "htdemucs_ft"), ("balanced", "htdemucs")],
)
def test_presets_choose_where_auto_leaves_the_choice(
    model_dir: Path, preset: str, model: str
) -> None:
    options = ProcessingOptions.model_validate({"preset": preset})
    plan = plan_separation(options, model_dir)
    assert plan.models == (model,)
    assert plan.reason
    named = ProcessingOptions.model_validate({"preset": preset, "model": "htdemucs"})
    assert plan_separation(named, model_dir).models == ("htdemucs",)


@pytest.mark.parametrize(
    ("options", "error", "field"),
    [
        ({"model": "htdemucs+nonesuch"}, UnknownModel, "model"),
        ({"model": "htdemucs+mdx_extra"}, ModelUnavailable, "model"),
        ({"model": "htdemucs+spleeter+htdemucs"}, InvalidOption, "model"),
        ({"model": "htdemucs", "stems": "kazoo"}, InvalidOption, "stems"),
        ({"model": "spleeter", "stems": "drums"}, InvalidOption, "stems"),
        (
            {"model": "htdemucs+spleeter", "ensemble_weights": "1"},
            InvalidOption,
            "ensemble_weights",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_loaded(
    model_dir: Path, options: dict[str, str], error: type[StemcrateError], field: str
) -> None:
    with pytest.raises(error) as raised:
        plan_separation(ProcessingOptions.model_validate(options), model_dir)
    assert raised.value.field == field


def test_the_rest_of_several_stems_has_a_name_of_its_own() -> None:
    assert name_rest(("vocals",)) == "accompaniment"
    assert name_rest(("drums", "vocals")) == "rest"


def test_warming_up_loads_the_model_that_jobs_use(
    tmp_path: Path, model_dir: Path, song: Path
) -> None:
    """A model loaded under another key would be loaded again by the first job."""
    runtime = Runtime(model_dir=model_dir, warm_up_model="htdemucs")
    pipeline = build_pipeline(JobStore(tmp_path / "warm"), runtime)
    pipeline.warm_up()
    separation = pipeline.stage("separation")
    assert isinstance(separation, SeparationStage)
    assert separation.loaded.names() == ["htdemucs"]
    job_id = new_job_id()
    with pipeline.store.open_upload("song.wav", 10**9) as upload:
        upload.write(song.read_bytes())
        uploads = [upload.commit(job_id)]
    options = ProcessingOptions.model_validate({"model": "htdemucs", "stages": ()})
    pipeline.create_job(uploads, options, job_id=job_id)
    assert pipeline.run(job_id, pipeline.run_stage) == "completed"
    assert separation.loaded.names() == ["htdemucs"]
