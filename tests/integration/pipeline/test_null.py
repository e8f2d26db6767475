"""Stems that null: the stems of a job sum to the mixture at every rate, depth, channel count."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.artifacts.manifest import ProcessingManifest
from core.pipeline.pipeline import AudioPipeline
from tests.integration.pipeline.conftest import RunJob
from tests.signals import make_song, write_song

QUICK = {"stages": ("composite", "harmonic_percussive")}
SOURCES = [(44100, "PCM_16"), (48000, "PCM_24"), (96000, "PCM_24")]


def _read(
    pipeline: AudioPipeline, manifest: ProcessingManifest, role: str, dtype: str = "int32"
) -> dict[str, np.ndarray]:
    folder = pipeline.store.job_folder(manifest.job_id)
    return {
        a.label: soundfile.read(folder / a.name, dtype=dtype, always_2d=True)[0].astype(np.float64)
        for a in manifest.tracks[0].artefacts
        if a.role == role
    }


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize(("sample_rate", "subtype"), SOURCES)
def test_stems_sum_exactly_to_the_source_in_24_bit(
    pipeline: AudioPipeline,
    run_job: RunJob,
    tmp_path: Path,
    sample_rate: int,
    subtype: str,
    n_channels: int,
) -> None:
    """Rounding each stem on its own leaves a residual; resampling changes length and rate."""
    song = make_song(1.3, sample_rate, n_channels)
    path = write_song(tmp_path / "song.wav", song, sample_rate, subtype)
    manifest = run_job(path, normalization="off", **QUICK)
    stems = _read(pipeline, manifest, "stem")
    source = soundfile.read(path, dtype="int32", always_2d=True)[0]
    total = sum(stems.values())
    assert set(stems) == {"vocals", "accompaniment"}
    assert total.shape == source.shape
    assert np.array_equal(total, source)
    stem = next(a for a in manifest.tracks[0].artefacts if a.role == "stem")
    assert (stem.sample_rate, stem.bit_depth) == (sample_rate, "24")
    assert manifest.tracks[0].analysis["null_test"]["residual_dbfs"] < -40


@pytest.mark.parametrize(("sample_rate", "subtype"), [*SOURCES, (44100, "FLOAT")])
def test_float_stems_sum_within_a_millionth(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path, sample_rate: int, subtype: str
) -> None:
    path = write_song(tmp_path / "a.wav", make_song(1.0, sample_rate), sample_rate, subtype)
    manifest = run_job(path, normalization="off", bit_depth="32f", **QUICK)
    stems = _read(pipeline, manifest, "stem", "float64")
    source = soundfile.read(path, dtype="float64", always_2d=True)[0]
    assert np.abs(sum(stems.values()) - source).max() < 1e-6


def test_with_one_gain_everything_still_sums(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path
) -> None:
    """Normalization must not break the sum, and composites are made of the very same stems."""
    path = write_song(tmp_path / "a.wav", make_song(2.0, 44100), 44100)
    manifest = run_job(path, stages=("composite", "harmonic_percussive", "normalization"))
    stems = _read(pipeline, manifest, "stem")
    composites = _read(pipeline, manifest, "composite")
    gain_db = manifest.tracks[0].analysis["gain_db"]
    assert gain_db != 0
    assert np.array_equal(stems["vocals"] + stems["accompaniment"], composites["main"])
    assert np.array_equal(composites["acapella"] + composites["instrumental"], composites["main"])
    parts = composites["main_harmonic"] + composites["main_percussive"]
    assert np.array_equal(parts, composites["main"])
    source = soundfile.read(path, dtype="float64", always_2d=True)[0]
    expected = source * 10 ** (gain_db / 20)
    assert np.abs(composites["main"] / 2**31 - expected).max() <= 2**-24


def test_sixteen_bit_stems_are_dithered_and_still_sum(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path
) -> None:
    path = write_song(tmp_path / "a.wav", make_song(1.0, 44100), 44100)
    manifest = run_job(path, bit_depth="16", normalization="off", **QUICK)
    stems = _read(pipeline, manifest, "stem", "int16")
    source = soundfile.read(path, dtype="int16", always_2d=True)[0]
    assert np.array_equal(sum(stems.values()), source)


@pytest.mark.parametrize("format", ["flac", "wav"])
def test_what_would_clip_is_float_instead(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path, format: str
) -> None:
    """A source beyond full scale (float files can be) must not be clipped without a word."""
    song = make_song(1.0, 44100, level=1.8)
    path = write_song(tmp_path / "a.wav", song, 44100, "FLOAT")
    manifest = run_job(path, normalization="off", bit_depth="24", format=format, **QUICK)
    folder = pipeline.store.job_folder(manifest.job_id)
    main = next(a for a in manifest.tracks[0].artefacts if a.label == "main")
    assert (main.format, main.bit_depth) == ("wav", "32f")
    warnings = [w for w in manifest.all_warnings() if w.code == "above_full_scale"]
    assert any("'main'" in w.message for w in warnings)
    delivered = soundfile.read(folder / main.name, dtype="float64", always_2d=True)[0]
    assert np.abs(delivered.T - song.astype(np.float32)).max() < 2**-23
    stems = [a for a in manifest.tracks[0].artefacts if a.role == "stem"]
    total = sum(soundfile.read(folder / a.name, always_2d=True)[0] for a in stems)
    assert np.array_equal(total, delivered)


@pytest.mark.parametrize(("residual", "n_stems"), [("keep", 3), ("off", 2)])
def test_residual_policies(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path, residual: str, n_stems: int
) -> None:
    path = write_song(tmp_path / "a.wav", make_song(1.0, 44100), 44100)
    manifest = run_job(path, residual=residual, normalization="off", **QUICK)
    stems = _read(pipeline, manifest, "stem")
    source = soundfile.read(path, dtype="int32", always_2d=True)[0]
    assert len(stems) == n_stems
    assert np.array_equal(sum(stems.values()), source) == (residual == "keep")


def test_silence_in_silence_out(pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path) -> None:
    """Dividing by a maximum of zero turns silence into NaN; normalising turns it into noise."""
    path = write_song(tmp_path / "a.wav", np.zeros((2, 44100)), 44100)
    manifest = run_job(path)
    assert manifest.state == "completed"
    folder = pipeline.store.job_folder(manifest.job_id)
    audio = [a for a in manifest.tracks[0].artefacts if a.role in ("stem", "composite")]
    assert audio
    for artefact in audio:
        assert not soundfile.read(folder / artefact.name)[0].any(), artefact.name
