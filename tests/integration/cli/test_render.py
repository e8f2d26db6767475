"""stemcrate render as a user runs it: on the job's files, without a server."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.artifacts.store import JobStore
from stemcrate.schemas.facts import JobFacts
from tests.clicks import clicks
from tests.integration.cli.shell import Shell
from tests.rendered import RATE, GivenTrack, make_job
from tests.signals import make_song

SONG = make_song(2.0, RATE)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def job(shell: Shell) -> str:
    stems = {"vocals": SONG / 4, "drums": SONG / 8, "bass": SONG / 16}
    return make_job(JobStore(shell.data), GivenTrack(stems))


def test_lanes_are_all_stems_with_the_settings_given(shell: Shell, job: str) -> None:
    """A DJ who turns the vocals down does not want to list the other stems."""
    told = shell.json(
        "render",
        "mix",
        job,
        "--gain",
        "vocals=-6",
        "--mute",
        "bass",
        "--end-s",
        1,
        "--out",
        "a.wav",
    )

    assert told["path"] == str(shell.folder / "a.wav")
    assert told["file"]["duration_s"] == 1.0
    assert told["warnings"] == []
    samples, _ = soundfile.read(told["path"])
    expected = SONG[:, :RATE] * (10 ** (-6 / 20) / 4 + 1 / 8)
    assert np.abs(samples.T - expected).max() < 1e-6
    assert sorted(p.name for p in shell.folder.iterdir()) == ["a.wav", "data"]


def test_solo_plays_alone_and_a_folder_gets_the_files_name(shell: Shell, job: str) -> None:
    result = shell.run("render", "mix", job, "--solo", "drums", "--format", "flac")
    assert result.returncode == 0, result.stderr
    samples, _ = soundfile.read(shell.folder / "Band - Song.wav [mix].flac")
    assert np.abs(samples.T - SONG / 8).max() < 2**-22


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--gain", "vocals"), "stem=number"),
        (("--gain", "kazoo=1"), "vocals, drums, bass"),
        (("--pan", "drums=5"), "less than or equal to 1"),
        (("--out", "nowhere/a.wav"), "no folder"),
        (("--track-index", "3"), "index 3"),
        (("--mute", "vocals", "--mute", "drums", "--mute", "bass"), "muted"),
    ],
)
def test_wrong_options_are_named(
    shell: Shell, job: str, options: tuple[str, ...], words: str
) -> None:
    result = shell.run("render", "mix", job, *options)
    assert result.returncode == 2
    assert words in result.stderr
    assert sorted(p.name for p in shell.folder.iterdir()) == ["data"]


def click_track(tempo_bpm: float) -> GivenTrack:
    beats_s = 0.2 + np.arange(40) * 60 / tempo_bpm
    facts = JobFacts(
        tempo_bpm=tempo_bpm,
        beats_s=[float(beat_s) for beat_s in beats_s],
        downbeats_s=[float(beat_s) for beat_s in beats_s[::4]],
        title=f"Song at {tempo_bpm:g}",
    )
    return GivenTrack({"drums": clicks(beats_s, float(beats_s[-1]) + 1.0)}, facts)


def test_a_transition_is_written_for_two_tracks_of_jobs(shell: Shell) -> None:
    job = make_job(JobStore(shell.data), click_track(120), click_track(125))
    around = ("--before-bars", 1, "--after-bars", 1, "--overlap-bars", 2, "--in-bar", 1)
    told = shell.json("render", "transition", job, f"{job}:1", *around, "--out-bar", 3)
    assert Path(told["path"]).name == "Song at 120 → Song at 125.wav"
    # At 120 BPM, a bar of four beats lasts two seconds.
    assert told["file"]["duration_s"] == pytest.approx(8.0, abs=0.01)

    unknown = shell.run("render", "transition", job, "nobody")
    assert unknown.returncode == 1
    assert "nobody" in unknown.stderr
