"""Nothing is computed twice: a second job with the same mixture takes the first one's stems."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.pipeline.pipeline import AudioPipeline
from core.separation.models.spleeter import SpleeterModel
from stemcrate.schemas.manifest import ProcessingManifest
from tests.integration.pipeline.conftest import RunJob
from tests.signals import make_song, write_song

STAGES = ("composite", "harmonic_percussive", "normalization", "playlist")


@pytest.fixture
def separations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that a separator is called."""
    calls: list[int] = []
    stream = SpleeterModel.stream

    def counted(self: SpleeterModel, *args: object, **options: object) -> object:
        calls.append(1)
        return stream(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(SpleeterModel, "stream", counted)
    return calls


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "song.wav", make_song(2.0, 44100), 44100)


def _hits(manifest: ProcessingManifest) -> set[str]:
    return {stage.name for stage in manifest.all_stages() if stage.cache_hit}


def test_other_deliveries_separate_nothing(
    run_job: RunJob, song: Path, separations: list[int], tmp_path: Path
) -> None:
    first = run_job(song, stages=STAGES)
    renamed = tmp_path / "Someone - Else.wav"
    renamed.write_bytes(song.read_bytes())
    for path, options in (
        (song, {"format": "flac"}),
        (song, {"normalization": "off", "bit_depth": "16"}),
        (renamed, {"playlist_name": "Another", "recipes": ("main",)}),
    ):
        again = run_job(path, stages=STAGES, **options)
        assert again.state == "completed", again.error
        assert _hits(again) == {"separation", "harmonic_percussive"}
        assert again.model == first.model
        assert again.tracks[0].analysis.null_test == first.tracks[0].analysis.null_test
    assert again.tracks[0].analysis.title == "Else"
    assert len(separations) == 1


def test_what_is_taken_from_the_cache_is_what_was_made(
    pipeline: AudioPipeline, run_job: RunJob, song: Path
) -> None:
    stems = []
    for _ in range(2):
        manifest = run_job(song, stages=STAGES)
        folder = pipeline.store.job_folder(manifest.job_id)
        stems.append({a.label: a.sha256 for a in manifest.tracks[0].artefacts})
        assert not (folder / ".work").exists()
    assert stems[0] == stems[1]
    vocals = next(a for a in manifest.tracks[0].artefacts if a.label == "vocals")
    assert np.isfinite(soundfile.read(folder / vocals.name)[0]).all()


def test_the_facts_are_kept_too_and_depend_on_what_they_were_read_from(
    run_job: RunJob, song: Path
) -> None:
    """Facts of a cached job that are not its own would be believed by every playlist."""
    facts = ("tempo", "key", "energy", "vocals", "structure", "chords", "descriptors")
    first = run_job(song, stages=facts)
    again = run_job(song, stages=facts, format="flac")
    assert _hits(again) == {"separation", *facts}
    assert again.tracks[0].analysis == first.tracks[0].analysis
    other_range = run_job(song, stages=facts, tempo_min_bpm=60, tempo_max_bpm=200)
    assert _hits(other_range) == {"separation", "key", "energy", "vocals", "descriptors"}


@pytest.mark.parametrize(
    "options", [{"residual": "keep"}, {"wiener": True}, {"stems": ("vocals",)}, {"shifts": 2}]
)
def test_another_separation_is_made_anew(
    run_job: RunJob, song: Path, separations: list[int], options: dict[str, object]
) -> None:
    """A key that forgets an option would deliver the stems of another job."""
    run_job(song, stages=())
    again = run_job(song, stages=(), **options)
    assert _hits(again) == set()
    assert len(separations) == 2


def test_deleting_the_last_job_of_a_recording_deletes_what_was_kept_of_it(
    pipeline: AudioPipeline, run_job: RunJob, song: Path
) -> None:
    """Someone who deletes a job does not want the stems to stay."""
    jobs = [run_job(song, stages=STAGES) for _ in range(2)]
    kept = pipeline.store.data_dir / "cache" / jobs[0].tracks[0].source.sha256
    pipeline.store.delete(jobs[0].job_id)
    assert any(kept.iterdir())
    pipeline.store.delete(jobs[1].job_id)
    assert not kept.exists()
