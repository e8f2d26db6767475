"""The facts of a job: there, consistent with one another, and no more than a manifest can bear."""

import base64
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.analysis.descriptors import N_DESCRIPTORS, VERSION
from stemcrate.schemas.manifest import StageState
from tests.integration.pipeline.conftest import RunJob
from tests.signals import make_song, write_song
from tests.unit.analysis.songs import make_track

STAGES = ("tempo", "key", "energy", "vocals", "structure", "chords", "descriptors")
RATE = 44100


@pytest.fixture
def track(tmp_path: Path) -> Path:
    plan = (("intro", 8), ("drop", 8), ("outro", 8))
    mono = make_track(plan, sample_rate=RATE)
    return write_song(tmp_path / "track.wav", np.stack([mono, mono]), RATE)


def test_the_facts_of_a_track_agree_with_one_another(run_job: RunJob, track: Path) -> None:
    manifest = run_job(track, stages=STAGES)
    facts = manifest.tracks[0].analysis.model_dump(mode="json")
    assert all(r.state == StageState.COMPLETED for r in manifest.tracks[0].stages)
    borders = [section["start_s"] for section in facts["sections"]][1:]
    assert borders
    downbeats = np.array(facts["downbeats_s"])
    assert all(np.abs(downbeats - border).min() < 1e-3 for border in borders)
    assert facts["mix_in_s"][0] == facts["first_downbeat_s"]
    assert facts["mix_in_s"][1] <= facts["mix_out_s"][0]
    assert len(facts["energy_over_time"]["values"]) == pytest.approx(facts["duration_s"], abs=1)
    assert {chord["chord"] for chord in facts["chords"]} & {"A", "A7"}
    assert facts["chords"][-1]["end_s"] == pytest.approx(facts["duration_s"], abs=1e-3)
    assert facts["is_instrumental"] in (True, False)
    assert all(end <= facts["duration_s"] for _, end in facts["vocals_s"])
    assert len(json.dumps(facts)) < 60_000
    _check_descriptors(facts["descriptors"])


def _check_descriptors(descriptors: Any) -> None:
    assert descriptors["version"] == VERSION
    assert set(descriptors["vectors"]) == {"mixture", "vocals", "accompaniment"}
    for text in descriptors["vectors"].values():
        vector = np.frombuffer(base64.b64decode(text), "<f4")
        assert vector.shape == (N_DESCRIPTORS,)
        assert np.isfinite(vector).all()


def test_without_a_vocal_stem_the_manifest_says_so(run_job: RunJob, tmp_path: Path) -> None:
    """An empty list of sung passages would mean that nobody sings."""
    song = write_song(tmp_path / "song.wav", make_song(4.0, RATE), RATE)
    facts = (
        run_job(song, stages=("vocals",), stems="accompaniment")
        .tracks[0]
        .analysis.model_dump(mode="json")
    )
    assert facts["vocals_s"] is None
    assert facts["vocals_absent_because"]


def test_every_output_is_drawn_at_the_scale_of_players(run_job: RunJob, tmp_path: Path) -> None:
    """peaks.js reads length and scale from the header: a wrong one draws another song."""
    song = write_song(tmp_path / "song.wav", make_song(4.0, RATE), RATE)
    manifest = run_job(song, stages=("waveform",))
    drawn = {a.name: a for a in manifest.tracks[0].artefacts if a.role == "waveform"}
    labels = {a.label for a in manifest.tracks[0].artefacts if a.role == "stem"}
    assert {Path(name).name for name in drawn} == {
        "waveforms.json",
        *(f"{x}.{kind}" for x in (*labels, "original") for kind in ("dat", "bands", "json")),
    }
    folder = tmp_path / "data" / "outputs" / manifest.job_id
    dat = next(folder / name for name in drawn if name.endswith("vocals.dat")).read_bytes()
    version, flags, rate, scale, length, channels = struct.unpack("<iIiiIi", dat[:24])
    assert (version, flags, rate, channels) == (2, 1, RATE, 2)
    assert length == -(-4 * RATE // scale)
    assert len(dat) == 24 + 2 * channels * length
    bands = next(folder / name for name in drawn if name.endswith("vocals.bands")).read_bytes()
    assert bands[:20] == dat[:20]
    assert struct.unpack("<i", bands[20:24]) == (3,)
    assert len(bands) == 24 + 3 * length
    level = json.loads(
        next(folder / name for name in drawn if name.endswith("vocals.json")).read_text()
    )
    assert len(level["bands"]["low"]) == level["length"]


def test_silence_has_facts_too(run_job: RunJob, tmp_path: Path) -> None:
    song = write_song(tmp_path / "silence.wav", np.zeros((2, 3 * RATE)), RATE)
    manifest = run_job(song, stages=STAGES)
    facts = manifest.tracks[0].analysis.model_dump(mode="json")
    assert all(r.state == StageState.COMPLETED for r in manifest.tracks[0].stages)
    assert facts["tempo_bpm"] is None
    assert facts["sections"] == []
    assert facts["mix_in_s"] is None
    assert facts["energy"] == 1
