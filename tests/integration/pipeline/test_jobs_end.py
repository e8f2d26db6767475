"""Every job ends in a manifest that says what happened, and what it left behind is listed."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.artifacts.hashing import hash_file
from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.errors import JobNotFound, StorageFull
from core.pipeline.order import build_pipeline
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.results import StageResult
from core.pipeline.stage import TrackStage
from core.pipeline.stage_ref import Attempt, StageRef
from stemcrate.schemas.manifest import JobState, ProcessingManifest, StageState
from stemcrate.schemas.options import ProcessingOptions
from tests.integration.pipeline.conftest import RunJob
from tests.signals import make_song, write_song


def test_a_whole_job(pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path) -> None:
    """Three tracks, every stage, everything listed, hashed and in the playlist.

    The first is longer than every stage's block, so that joins are met.
    """
    paths = [
        write_song(tmp_path / f"Band - Song {n}.wav", make_song(length, 44100, seed=n), 44100)
        for n, length in enumerate((26.0, 4.0, 4.0))
    ]
    manifest = run_job(*paths, playlist_name="Friday / night")
    assert manifest.state == JobState.COMPLETED
    assert {s.state for s in manifest.all_stages()} == {StageState.COMPLETED}
    assert all(s.attempts == 1 and s.seconds is not None for s in manifest.all_stages())
    folder = pipeline.store.job_folder(manifest.job_id)
    on_disk = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    listed = {a.stored_as for a in manifest.all_artefacts()}
    assert on_disk == listed | {"manifest.json"}
    for artefact in manifest.all_artefacts():
        assert hash_file(folder / artefact.stored_as) == (artefact.sha256, artefact.bytes)
    track = manifest.tracks[1]
    assert (track.analysis.artist, track.analysis.title) == ("Band", "Song 1")
    assert track.analysis.energy in range(1, 11)
    assert "drums" in track.stages[3].result["skipped"]["drumless"]
    same = {a.label: a for a in track.artefacts if a.same_as}
    stems = {a.label: a for a in track.artefacts if a.role == "stem"}
    assert {label: a.stored_as for label, a in same.items()} == {
        "acapella": stems["vocals"].name,
        "instrumental": stems["accompaniment"].name,
    }
    assert all(not (folder / a.name).exists() for a in same.values())
    for step in manifest.playlist.transitions:
        levels = [manifest.tracks[int(i)].analysis for i in (step.from_id, step.to_id)]
        first, second = (
            f.delivered_loudness and f.delivered_loudness.integrated_lufs for f in levels
        )
        assert first is not None
        assert second is not None
        assert step.loudness_of == "delivered"
        assert step.loudness_step_lu == pytest.approx(second - first, abs=0.001)
    playlist = next(a for a in manifest.artefacts if a.role == "playlist")
    lines = (folder / playlist.name).read_text("utf-8").splitlines()
    entries = [line for line in lines if line and not line.startswith("#")]
    assert len(entries) == 3
    seconds = [soundfile.info(folder / entry).duration for entry in entries]
    assert sorted(seconds) == [4.0, 4.0, 26.0]
    assert manifest.model.name == "spleeter"
    assert manifest.model.weights_sha256


def test_a_bad_track_does_not_take_the_others_along(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path
) -> None:
    good = write_song(tmp_path / "good.wav", make_song(1.0, 44100), 44100)
    bad = tmp_path / "bad.mp3"
    bad.write_bytes(b"this is no music" * 100)
    manifest = run_job(bad, good, stages=("playlist",))
    assert manifest.state == JobState.COMPLETED
    assert manifest.tracks[0].error is not None
    assert manifest.tracks[0].error.code == "not_audio"
    assert manifest.tracks[1].state == JobState.COMPLETED
    assert not pipeline.store.upload_path(manifest.tracks[0].source.sha256).exists()


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "empty_file"), (b"no music at all" * 50, "not_audio")]
)
def test_a_job_of_bad_input_fails_and_leaves_only_its_manifest(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    manifest = run_job(path)
    assert manifest.state == JobState.FAILED
    assert manifest.error is not None
    assert manifest.error.code == code
    folder = pipeline.store.job_folder(manifest.job_id)
    assert [p.name for p in folder.iterdir()] == ["manifest.json"]
    assert list(pipeline.store.uploads.iterdir()) == []


def test_an_unknown_model_fails_the_job(run_job: RunJob, tmp_path: Path) -> None:
    path = write_song(tmp_path / "a.wav", make_song(1.0, 44100), 44100)
    manifest = run_job(path, model="nonsense")
    assert manifest.state == JobState.FAILED
    assert manifest.error is not None
    assert manifest.error.code == "unknown_model"


class _Broken(TrackStage):
    """A third party's stage with a defect."""

    name = "broken"

    def is_wanted(self, options: ProcessingOptions) -> bool:
        return True

    def execute(self, context: object) -> StageResult:
        raise ZeroDivisionError("division by zero")


def test_an_enrichment_that_fails_is_recorded_and_the_job_completes(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path
) -> None:
    pipeline.stages = (*pipeline.stages[:2], _Broken(), *pipeline.stages[2:])
    path = write_song(tmp_path / "a.wav", make_song(1.0, 44100), 44100)
    manifest = run_job(path, stages=())
    assert manifest.state == JobState.COMPLETED
    record = manifest.stage("broken", 0)
    assert record.state == StageState.FAILED
    assert record.error is not None
    assert "ZeroDivisionError" in record.error.message


def test_an_attempt_that_has_recorded_its_end_is_not_given_up(
    pipeline: AudioPipeline, tmp_path: Path
) -> None:
    """A worker that looked before its stage process could say "done" cancelled the job."""
    path = write_song(tmp_path / "a.wav", make_song(1.0, 44100), 44100)
    job_id = new_job_id()
    with pipeline.store.open_upload(path.name, 10**9) as upload:
        upload.write(path.read_bytes())
        uploads = [upload.commit(job_id)]
    pipeline.create_job(uploads, ProcessingOptions(model="none"), job_id=job_id)
    ref = StageRef(job_id, "decode", 0)
    assert pipeline.run_stage(ref) == StageState.COMPLETED
    assert not pipeline.is_given_up(Attempt(ref, 1))
    assert pipeline.is_given_up(Attempt(ref, 2))
    pipeline.cancel(job_id)
    assert pipeline.is_given_up(Attempt(ref, 1))


class _FullOfItsOwnWork(JobStore):
    """A disk on which a job's working files leave no room for its manifest."""

    @contextmanager
    def update(self, job_id: str) -> Iterator[ProcessingManifest]:
        with super().update(job_id) as manifest:
            yield manifest
            if any(self.work_folder(job_id).rglob("mixture.wav")):
                raise StorageFull("The disk is full: manifest.json could not be written.")


def test_a_full_disk_ends_the_job_with_a_manifest(tmp_path: Path) -> None:
    """It looked as if it were running for ever, and kept the disk full."""
    pipeline = build_pipeline(_FullOfItsOwnWork(tmp_path / "data"))
    path = write_song(tmp_path / "a.wav", make_song(1.0, 44100), 44100)
    job_id = new_job_id()
    with pipeline.store.open_upload(path.name, 10**9) as upload:
        upload.write(path.read_bytes())
        uploads = [upload.commit(job_id)]
    pipeline.create_job(uploads, ProcessingOptions(model="spleeter"), job_id=job_id)
    assert pipeline.run(job_id, pipeline.run_stage) == JobState.FAILED
    manifest = pipeline.store.load(job_id)
    assert manifest.error is not None
    assert manifest.error.code == "storage_full"
    folder = pipeline.store.job_folder(job_id)
    assert [p.name for p in folder.iterdir()] == ["manifest.json"]
    assert pipeline.store.has_upload(uploads[0].sha256, job_id), "it can be tried again"


def test_cancel_in_the_middle_of_a_stage(pipeline: AudioPipeline, tmp_path: Path) -> None:
    """Cancel must reach a running separation, and leave a manifest and no audio."""
    path = write_song(tmp_path / "a.wav", make_song(20.0, 44100), 44100)
    job_id = new_job_id()
    with pipeline.store.open_upload(path.name, 10**9) as upload:
        upload.write(path.read_bytes())
        uploads = [upload.commit(job_id)]
    pipeline.create_job(uploads, ProcessingOptions(model="spleeter"), job_id=job_id)
    cancelled = threading.Event()
    seen: list[tuple[str, float]] = []

    def run_stage(ref: StageRef) -> StageState:
        def progress(fraction: float) -> None:
            seen.append((ref.stage_name, fraction))
            if ref.stage_name == "separation":
                cancelled.set()

        return pipeline.run_stage(ref, progress=progress, cancelled=cancelled.is_set)

    assert pipeline.run(job_id, run_stage) == JobState.CANCELLED
    manifest = pipeline.store.load(job_id)
    assert manifest.stage("separation", 0).state == StageState.CANCELLED
    assert max(f for name, f in seen if name == "separation") < 1
    folder = pipeline.store.job_folder(job_id)
    assert [p.name for p in folder.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("doomed", ["decode", "separation", "delivery"])
def test_a_job_that_is_deleted_while_it_runs_is_no_defect(
    pipeline: AudioPipeline, tmp_path: Path, caplog: pytest.LogCaptureFixture, doomed: str
) -> None:
    """The stage that missed its files logged a traceback, and its lock came back for good."""
    path = write_song(tmp_path / "a.wav", make_song(2.0, 44100), 44100)
    job_id = new_job_id()
    with pipeline.store.open_upload(path.name, 10**9) as upload:
        upload.write(path.read_bytes())
        uploads = [upload.commit(job_id)]
    options = ProcessingOptions(model="spleeter", stages=())
    pipeline.create_job(uploads, options, job_id=job_id)

    def run_stage(ref: StageRef) -> StageState:
        def progress(_: float) -> None:
            if ref.stage_name == doomed and pipeline.store.job_ids():
                pipeline.store.delete(job_id)

        return pipeline.run_stage(ref, progress=progress)

    with caplog.at_level(logging.WARNING), pytest.raises(JobNotFound):
        pipeline.run(job_id, run_stage)
    assert caplog.messages == []
    assert not any((pipeline.store.data_dir / "locks").glob(f"{job_id}*"))
    assert not any((pipeline.store.data_dir / "cache").glob("*/*"))


@pytest.mark.parametrize("format", ["flac", "mp3", "m4a", "alac", "opus"])
def test_every_format_is_delivered_tagged(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path, format: str
) -> None:
    """Read back by a reader that did not write it."""
    from core.audio.reading.decode import probe
    from core.audio.tagging.tags import read_tags

    path = write_song(tmp_path / "Ü – 日本 - Lied 😀.wav", make_song(6.0, 44100), 44100)
    manifest = run_job(path, format=format, stages=("tempo", "key", "composite"))
    folder = pipeline.store.job_folder(manifest.job_id)
    main = next(a for a in manifest.tracks[0].artefacts if a.label == "main")
    tags = read_tags(folder / main.name)
    facts = manifest.tracks[0].analysis
    assert tags.artist == "Ü – 日本"
    assert tags.title == "Lied 😀"
    assert tags.key == facts.key_short
    assert tags.bpm == pytest.approx(facts.tempo_bpm, abs=0.51)
    source = probe(folder / main.name)
    assert source.n_channels == 2
    assert source.sample_rate == (48000 if format == "opus" else 44100)
    if format == "opus":
        assert any(w.code == "resampled" for w in manifest.all_warnings())


def test_multichannel_is_mixed_down_and_said_so(
    pipeline: AudioPipeline, run_job: RunJob, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "surround.wav"
    soundfile.write(path, 0.1 * rng.standard_normal((44100, 6)), 44100, subtype="PCM_24")
    manifest = run_job(path, stages=())
    assert manifest.tracks[0].source.n_channels == 6
    assert any(w.code == "downmixed" for w in manifest.all_warnings())
