"""stemcrate process as a user runs it: a real process, its stdout, its exit code."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.conditions import PATIENCE_S, wait_until
from tests.processes import running
from tests.signals import make_song, write_song

ROOT = Path(__file__).parents[3]


def _environment(data_dir: Path) -> dict[str, str]:
    return {**os.environ, "DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT)}


def _stemcrate(
    data_dir: Path, *arguments: object, stderr: int = subprocess.PIPE
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, arguments)],
        cwd=data_dir.parent,
        env=_environment(data_dir),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def _json(result: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(result.stdout)
    return loaded


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "Band - Song.wav", make_song(2.0, 44100), 44100)


def test_json_is_all_that_stdout_holds(tmp_path: Path, song: Path) -> None:
    """A script parses stdout: a log line or a progress bar there breaks it."""
    result = _stemcrate(tmp_path / "data", "process", song, "--json", "--format", "flac")
    assert result.returncode == 0, result.stderr
    job = _json(result)
    assert job["state"] == "completed"
    assert json.loads(Path(job["manifest"]).read_text())["job_id"] == job["job_id"]
    artefacts = job["tracks"][0]["artefacts"]
    assert all(Path(a["path"]).is_file() and a["stage"] for a in artefacts)
    assert job["tracks"][0]["analysis"]["artist"] == "Band"
    with zipfile.ZipFile(job["zip"]) as pack:
        assert pack.testzip() is None
        assert "manifest.json" in pack.namelist()
        playlist = pack.read("Stemcrate set.m3u8").decode()
        entries = [line for line in playlist.splitlines() if line and line[0] != "#"]
        with pack.open(entries[0]) as whole_song:
            assert soundfile.info(whole_song).duration == 2.0


def test_people_get_a_summary_that_ends_with_the_zip(tmp_path: Path, song: Path) -> None:
    """On a terminal, where messages of other parts lie between the results."""
    result = _stemcrate(
        tmp_path / "data", "process", song, "--stages", "tempo", stderr=subprocess.STDOUT
    )
    assert result.returncode == 0, result.stdout
    last = result.stdout.strip().splitlines()[-1]
    assert last.startswith("ZIP: ")
    assert zipfile.is_zipfile(last.removeprefix("ZIP: "))


def test_a_warning_names_its_track(tmp_path: Path) -> None:
    """Of an album, nobody knew which song was mixed down."""
    path = tmp_path / "Surround.wav"
    soundfile.write(path, np.full((44100, 6), 0.1), 44100)
    result = _stemcrate(tmp_path / "data", "process", path, "--model", "none", "--stages", "")
    assert result.returncode == 0, result.stderr
    assert "warning (Surround, decode): ITU-R BS.775" in result.stdout


def test_a_job_is_in_the_library_when_the_command_ends(tmp_path: Path, song: Path) -> None:
    """Without a server, too; deleting it later takes it out."""
    data = tmp_path / "data"
    result = _stemcrate(data, "process", song, "--json", "--model", "none", "--stages", "tempo")
    assert result.returncode == 0, result.stderr
    job = _json(result)
    assert job["tracks"][0]["artefacts"] == []
    tracks = _json(_stemcrate(data, "library", "list", "--json"))["tracks"]
    assert [track["title"] for track in tracks] == ["Song"]


def test_done_in_part_is_said_so(tmp_path: Path, song: Path) -> None:
    """One bad file must not hide behind the success of the others."""
    bad = tmp_path / "notes.txt"
    bad.write_text("no music")
    result = _stemcrate(tmp_path / "data", "process", song, bad, "--json", "--stages", "")
    assert result.returncode == 3
    tracks = _json(result)["tracks"]
    assert [track["state"] for track in tracks] == ["completed", "failed"]
    assert tracks[1]["error"]["code"] == "not_audio"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["--format", "aiff"], 2, "format"),
        (["--model", "nonsense"], 2, "htdemucs"),
        (["--model", "htdemucs"], 1, "stemcrate models fetch htdemucs"),
        (["--target-lufs", "5"], 2, "target_lufs"),
        (["--device", "tpu"], 2, "auto, cuda, mps, cpu"),
        (["--recipes", "karaoke"], 2, "karaoke"),
        (["--data-dir", "/proc/here"], 2, "data folder /proc/here"),
    ],
)
def test_refusals_leave_nothing_behind(
    tmp_path: Path, song: Path, arguments: list[str], exit_code: int, words: str
) -> None:
    data_dir = tmp_path / "data"
    environment = {"HF_HUB_CACHE": str(tmp_path / "empty")}
    result = subprocess.run(
        [sys.executable, "-m", "cli.main", "process", str(song), *arguments],
        cwd=tmp_path,
        env={**_environment(data_dir), **environment},
        capture_output=True,
        text=True,
    )
    assert result.returncode == exit_code
    assert words in " ".join(result.stderr.split())
    assert not (data_dir / "outputs").exists()
    assert not (data_dir / "uploads").exists()


def test_a_setting_that_cannot_be_is_named(tmp_path: Path, song: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "cli.main", "process", str(song)],
        cwd=tmp_path,
        env={**_environment(tmp_path / "data"), "BIT_DEPTH": "20"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert "The setting BIT_DEPTH cannot be '20'" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_cancels_and_the_manifest_says_so(tmp_path: Path, number: signal.Signals) -> None:
    """Interrupting must not leave a job that looks as if it were running for ever."""
    song = write_song(tmp_path / "long.wav", make_song(60.0, 44100), 44100)
    data_dir = tmp_path / "data"
    with running(
        [sys.executable, "-m", "cli.main", "process", song, "--json"],
        cwd=tmp_path,
        env=_environment(data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        wait_until(lambda: any(data_dir.glob("outputs/*/.work/0/mixture.wav")))
        process.send_signal(number)
        stdout, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    job = json.loads(stdout)
    assert job["state"] == "cancelled"
    assert [p.name for p in Path(job["outputs_dir"]).iterdir()] == ["manifest.json"]


def test_models_list_names_what_is_there(tmp_path: Path) -> None:
    result = _stemcrate(tmp_path / "data", "models", "list", "--json")
    assert result.returncode == 0, result.stderr
    models = {model["name"]: model for model in _json(result)["models"]}
    assert models["spleeter"]["available"]
    assert models["htdemucs"]["stems"] == ["drums", "bass", "other", "vocals"]
