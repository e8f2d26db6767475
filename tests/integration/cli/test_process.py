"""stemcrate process as a user runs it: its stdout, its exit code, what is left of it."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bench.processes import running
from tests.conditions import PATIENCE_S, wait_until
from tests.integration.cli.shell import ROOT, Shell
from tests.signals import make_song, write_song


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "Band - Song.wav", make_song(2.0, 44100), 44100)


def test_json_is_all_that_stdout_holds(shell: Shell, song: Path) -> None:
    """A script parses stdout: a log line or a progress bar there breaks it."""
    result = shell.run_as_process("process", song, "--json", "--format", "flac")
    assert result.returncode == 0, result.stderr
    job = json.loads(result.stdout)
    assert job["state"] == "completed"
    assert json.loads(Path(job["manifest"]).read_text())["job_id"] == job["job_id"]
    artefacts = job["tracks"][0]["artefacts"]
    for artefact in (*artefacts, *job["artefacts"]):
        data = Path(artefact["path"]).read_bytes()
        assert artefact["bytes"] == len(data)
        assert artefact["sha256"] == sha256(data).hexdigest()
    assert ("stem", "vocals", "flac", "delivery") in {
        (a["role"], a["label"], a["format"], a["stage"]) for a in artefacts
    }
    assert job["tracks"][0]["analysis"]["artist"] == "Band"
    with zipfile.ZipFile(job["zip"]) as pack:
        assert pack.testzip() is None
        assert "manifest.json" in pack.namelist()
        playlist = pack.read("Stemcrate set.m3u8").decode()
        entries = [line for line in playlist.splitlines() if line and line[0] != "#"]
        with pack.open(entries[0]) as whole_song:
            assert soundfile.info(whole_song).duration == 2.0


def test_people_get_a_summary_that_ends_with_the_zip(shell: Shell, song: Path) -> None:
    """On a terminal, where messages of other parts lie between the results."""
    result = shell.run_as_process(
        "process", song, "--stages", "tempo,composite", stderr=subprocess.STDOUT
    )
    assert result.returncode == 0, result.stdout
    assert "same files (Song): instrumental = accompaniment, acapella = vocals" in result.stdout
    last = result.stdout.strip().splitlines()[-1]
    assert last.startswith("ZIP: ")
    assert zipfile.is_zipfile(last.removeprefix("ZIP: "))


def test_a_warning_names_its_track(shell: Shell, tmp_path: Path) -> None:
    """Of an album, nobody knew which song was mixed down."""
    path = tmp_path / "Surround.wav"
    soundfile.write(path, np.full((44100, 6), 0.1), 44100)
    result = shell.run("process", path, "--model", "none", "--stages", "")
    assert result.returncode == 0, result.stderr
    assert "warning (Surround, decode): ITU-R BS.775" in result.stdout


def test_a_job_is_in_the_library_when_the_command_ends(shell: Shell, song: Path) -> None:
    """Without a server, too; deleting it later takes it out."""
    job = shell.json("process", song, "--model", "none", "--stages", "tempo")
    assert job["tracks"][0]["artefacts"] == []
    tracks = shell.json("library", "list")["tracks"]
    assert [track["title"] for track in tracks] == ["Song"]


def test_done_in_part_is_said_so(shell: Shell, tmp_path: Path, song: Path) -> None:
    """One bad file must not hide behind the success of the others."""
    bad = tmp_path / "notes.txt"
    bad.write_text("no music")
    job = shell.json("process", song, bad, "--stages", "", code=3)
    tracks = job["tracks"]
    assert job["n_failed_tracks"] == 1
    assert [track["state"] for track in tracks] == ["completed", "failed"]
    assert tracks[1]["error"]["code"] == "not_audio"
    result = shell.run("process", song, bad, "--stages", "")
    assert "completed, 1 of 2 tracks failed" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["--format", "aiff"], 2, "format"),
        (["--model", "nonsense"], 2, "htdemucs"),
        (["--target-lufs", "5"], 2, "--target-lufs"),
        (["--device", "tpu"], 2, "--device"),
        (["--recipes", "karaoke"], 2, "karaoke"),
        (["--model", "spleeter", "--recipes", "drumless"], 2, "does not separate drums"),
        (["--data-dir", "/proc/here"], 2, "data folder /proc/here"),
    ],
)
def test_refusals_leave_nothing_behind(
    shell: Shell, song: Path, arguments: list[str], exit_code: int, words: str
) -> None:
    _check_refusal(shell, shell.run("process", song, *arguments), exit_code, words)


def test_a_model_that_is_not_here_is_refused_with_the_way_to_get_it(
    shell: Shell, song: Path
) -> None:
    """As a process: the hub's client reads at its import where weights lie."""
    empty = str(shell.folder / "empty")
    result = shell.run_as_process("process", song, "--model", "htdemucs", HF_HUB_CACHE=empty)
    _check_refusal(shell, result, 1, "stemcrate models fetch htdemucs")


def _check_refusal(
    shell: Shell, result: "subprocess.CompletedProcess[str]", exit_code: int, words: str
) -> None:
    assert result.returncode == exit_code
    assert words in " ".join(result.stderr.split())
    assert not (shell.data / "outputs").exists()
    assert not (shell.data / "uploads").exists()


def test_a_setting_that_cannot_be_is_named(shell: Shell, song: Path) -> None:
    result = shell.run("process", song, BIT_DEPTH="20")
    assert result.returncode == 2
    assert "The setting BIT_DEPTH cannot be '20'" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_cancels_and_the_manifest_says_so(
    shell: Shell, tmp_path: Path, number: signal.Signals
) -> None:
    """Interrupting must not leave a job that looks as if it were running for ever."""
    song = write_song(tmp_path / "long.wav", make_song(60.0, 44100), 44100)
    with running(
        [sys.executable, "-m", "cli.main", "process", song, "--json"],
        cwd=tmp_path,
        env={**os.environ, **shell.environment(), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        wait_until(lambda: any(shell.data.glob("outputs/*/.work/0/mixture.wav")))
        process.send_signal(number)
        stdout, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    job = json.loads(stdout)
    assert job["state"] == "cancelled"
    assert [p.name for p in Path(job["outputs_dir"]).iterdir()] == ["manifest.json"]


def test_models_list_names_what_is_there(shell: Shell) -> None:
    models = {model["name"]: model for model in shell.json("models", "list")["models"]}
    assert models["spleeter"]["available"]
    assert models["htdemucs"]["stems"] == ["drums", "bass", "other", "vocals"]
