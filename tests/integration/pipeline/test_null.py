"""Stems that null: the stems of a job sum to the mixture at every rate, depth, channel count."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.pipeline.pipeline import AudioPipeline
from stemcrate.schemas.manifest import ProcessingManifest
from tests.integration.pipeline.conftest import RunJob
from tests.signals import make_song, write_song

QUICK = {"stages": ("composite", "harmonic_percussive")}
SOURCES = [(44100, "PCM_16"), (48000, "PCM_24"), (96000, "PCM_24")]


def _read(
    pipeline: AudioPipeline, manifest: ProcessingManifest, role: str, dtype: str = "int32"
) -> dict[str, np.ndarray]:
    folder = pipeline.store.job_folder(manifest.job_id)
    return {
        a.label: _samples(folder / a.stored_as, dtype)
        for a in manifest.tracks[0].artefacts
        if a.role == role
    }


def _samples(path: Path, dtype: str) -> np.ndarray:
    return soundfile.read(path, dtype=dtype, always_2d=True)[0].astype(np.float64)


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
    assert manifest.tracks[0].analysis.null_test.residual_dbfs < -40


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
    gain_db = manifest.tracks[0].analysis.gain_db
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
def test_what_would_clip_is_float_where_no_gain_is_wanted(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path, format: str
) -> None:
    """A source beyond full scale (float files can be) must not be clipped without a word."""
    song = make_song(1.0, 44100, level=1.8)
    path = write_song(tmp_path / "a.wav", song, 44100, "FLOAT")
    options = {"normalization": "off", "bit_depth": "24", "clipping": "none", **QUICK}
    manifest = run_job(path, format=format, **options)
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


@pytest.mark.parametrize("bit_depth", ["16", "24"])
def test_what_would_clip_is_lowered_by_one_gain(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path, bit_depth: str
) -> None:
    """Lowering each stem by itself would destroy their balance; wrapped integers are noise."""
    song = make_song(1.0, 44100, level=1.8)
    path = write_song(tmp_path / "a.wav", song, 44100, "FLOAT")
    manifest = run_job(path, normalization="off", bit_depth=bit_depth, **QUICK)
    artefacts = manifest.tracks[0].artefacts
    assert {a.bit_depth for a in artefacts if a.role in ("stem", "composite")} == {bit_depth}
    gains = {a.gain_db for a in artefacts if a.role in ("stem", "composite")}
    assert len(gains) == 1
    gain_db = gains.pop()
    assert -6 < gain_db < 0
    assert [w.code for w in manifest.all_warnings()] == ["rescaled"]
    stems = _read(pipeline, manifest, "stem", "int32")
    main = _read(pipeline, manifest, "composite", "int32")["main"]
    assert np.array_equal(sum(stems.values()), main)
    error = main / 2**31 - song.T * 10 ** (gain_db / 20)
    assert np.abs(error).max() < 2.0 ** -(int(bit_depth) - 3)


def test_clamp_cuts_off_and_says_so(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path
) -> None:
    """Samples beyond full scale that wrap around would be cracks."""
    song = make_song(1.0, 44100, level=1.8)
    path = write_song(tmp_path / "a.wav", song, 44100, "FLOAT")
    manifest = run_job(path, normalization="off", bit_depth="24", clipping="clamp", **QUICK)
    main = _read(pipeline, manifest, "composite", "int32")["main"]
    assert np.abs(main / 2**31 - np.clip(song.T, -1, 1)).max() < 2**-22
    assert "above_full_scale" in {w.code for w in manifest.all_warnings()}


@pytest.mark.parametrize("rate", [88_200, 192_000])
def test_stems_sum_at_high_rates(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path, rate: int
) -> None:
    """Rate, depth and what lies above the model's band would be lost on the way through it."""
    time = np.arange(rate) / rate
    song = make_song(1.0, rate) * 0.5
    song += np.float32(0.05) * np.sin(2 * np.pi * 33_000 * time).astype(np.float32)
    path = write_song(tmp_path / "a.wav", song, rate, "PCM_24")
    manifest = run_job(path, normalization="off", **QUICK)
    stems = _read(pipeline, manifest, "stem", "int32")
    source = soundfile.read(path, dtype="int32", always_2d=True)[0]
    assert np.array_equal(sum(stems.values()), source)
    folder = pipeline.store.job_folder(manifest.job_id)
    audio = [a for a in manifest.tracks[0].artefacts if a.role == "stem"]
    assert {soundfile.info(folder / a.name).samplerate for a in audio} == {rate}
    assert _level_at(stems["accompaniment"], 33_000, rate) == pytest.approx(0.05, rel=0.02)
    assert _level_at(stems["vocals"], 33_000, rate) < 1e-4


def _level_at(samples: np.ndarray, frequency_hz: float, rate: int) -> float:
    """Amplitude of a sine in the left channel; 1 is full scale."""
    phase = np.exp(-2j * np.pi * frequency_hz * np.arange(len(samples)) / rate)
    return 2 * abs(np.mean(samples[:, 0] / 2**31 * phase))


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


@pytest.mark.parametrize("residual", ["fold", "off"])
def test_main_is_the_mixture_whatever_the_stems_leave_out(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path, residual: str
) -> None:
    """Without the residual the playlist's songs lost all that lies above the model's band."""
    path = write_song(tmp_path / "a.wav", make_song(1.0, 48000), 48000)
    manifest = run_job(
        path, residual=residual, normalization="off", stages=("composite",), recipes=("main",)
    )
    main = _read(pipeline, manifest, "composite")["main"]
    assert np.array_equal(main, soundfile.read(path, dtype="int32", always_2d=True)[0])


def test_silence_in_silence_out(pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path) -> None:
    """Dividing by a maximum of zero turns silence into NaN; normalising turns it into noise."""
    path = write_song(tmp_path / "a.wav", np.zeros((2, 44100)), 44100)
    manifest = run_job(path)
    assert manifest.state == "completed"
    [warning] = manifest.all_warnings()
    assert (warning.code, warning.stage) == ("silent", "decode")
    assert "is silent" in warning.message
    folder = pipeline.store.job_folder(manifest.job_id)
    audio = [a for a in manifest.tracks[0].artefacts if a.role in ("stem", "composite")]
    assert audio
    for artefact in audio:
        assert not soundfile.read(folder / artefact.stored_as)[0].any(), artefact.name
