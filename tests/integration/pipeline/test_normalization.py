"""Normalization: to the target, under the ceiling, measured by the standard."""

from pathlib import Path

import pytest

from core.audio.metering.loudness import Loudness, measure_loudness
from core.audio.writing.wavefile import AudioReader
from core.pipeline.pipeline import AudioPipeline
from tests.integration.pipeline.conftest import RunJob
from tests.signals import make_song, write_song

STAGES = ("normalization", "composite")


def _loudness(path: Path) -> Loudness:
    with AudioReader(path) as reader:
        return measure_loudness(reader.blocks(), reader.sample_rate, reader.n_channels)


def test_common_brings_the_mixture_to_the_target(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path
) -> None:
    path = write_song(tmp_path / "a.wav", make_song(3.0, 44100, level=0.5), 44100)
    manifest = run_job(path, stages=STAGES, target_lufs=-23.0)
    folder = pipeline.store.job_folder(manifest.job_id)
    artefacts = {a.label: a for a in manifest.tracks[0].artefacts}
    assert _loudness(folder / artefacts["main"].name).integrated_lufs == pytest.approx(-23, abs=0.1)
    facts = manifest.tracks[0].analysis
    assert {a.gain_db for a in artefacts.values()} == {facts.gain_db}
    delivered = facts.delivered_loudness
    assert delivered is not None
    assert delivered == artefacts["main"].loudness
    assert delivered.integrated_lufs == pytest.approx(-23, abs=0.01)
    assert (delivered.target_lufs, delivered.limit, delivered.note) == (-23.0, None, None)
    assert artefacts["vocals"].loudness is None


def test_the_true_peak_ceiling_wins_over_the_target(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path
) -> None:
    """Loud enough would mean clipped."""
    path = write_song(tmp_path / "a.wav", make_song(3.0, 44100, level=0.1), 44100)
    manifest = run_job(path, stages=STAGES, target_lufs=-3.0, true_peak_ceiling_dbtp=-2.0)
    folder = pipeline.store.job_folder(manifest.job_id)
    main = next(a for a in manifest.tracks[0].artefacts if a.label == "main")
    loudness = _loudness(folder / main.name)
    assert loudness.true_peak_dbtp == pytest.approx(-2.0, abs=0.1)
    assert loudness.integrated_lufs is not None
    assert loudness.integrated_lufs < -3.0
    delivered = main.loudness
    assert delivered is not None
    assert delivered.integrated_lufs == pytest.approx(loudness.integrated_lufs, abs=0.01)
    assert delivered.true_peak_dbtp == pytest.approx(-2.0, abs=0.001)
    assert delivered.limit == "true_peak_ceiling"
    assert delivered.note == (
        f"target −3.0, reached −{-loudness.integrated_lufs:.1f} LUFS: a higher gain would exceed "
        "the ceiling of −2.0 dBTP"
    )


def test_per_track_normalizes_each_file(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path
) -> None:
    path = write_song(tmp_path / "a.wav", make_song(3.0, 44100), 44100)
    manifest = run_job(path, stages=STAGES, normalization="per_track", target_lufs=-30.0)
    folder = pipeline.store.job_folder(manifest.job_id)
    artefacts = {a.label: a for a in manifest.tracks[0].artefacts}
    for label in ("accompaniment", "main"):
        loudness = _loudness(folder / artefacts[label].name)
        assert loudness.integrated_lufs == pytest.approx(-30, abs=0.1)
        delivered = artefacts[label].loudness
        assert delivered is not None
        assert delivered.integrated_lufs == pytest.approx(loudness.integrated_lufs, abs=0.01)
    assert manifest.tracks[0].analysis.delivered_loudness == artefacts["main"].loudness
    assert artefacts["vocals"].gain_db != artefacts["main"].gain_db


def test_without_normalization_the_source_is_delivered(run_job: RunJob, tmp_path: Path) -> None:
    path = write_song(tmp_path / "a.wav", make_song(3.0, 44100, level=0.5), 44100)
    facts = run_job(path, stages=("energy",), normalization="off").tracks[0].analysis
    assert facts.delivered_loudness is not None
    assert facts.delivered_loudness.integrated_lufs == facts.integrated_loudness_lufs
    assert facts.delivered_loudness.target_lufs is None
    bare = run_job(path, stages=(), normalization="off").tracks[0].analysis
    assert bare.delivered_loudness is None
