"""stemcrate job: goes on with a job of this machine, verifies it, runs it once more."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.processes import running
from core.artifacts.store import JobStore
from tests.conditions import wait_until
from tests.integration.cli.shell import ROOT, Shell
from tests.signals import make_song, write_song


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_a_killed_command_is_continued(shell: Shell, tmp_path: Path) -> None:
    """All that it had done was lost, and its job looked as if it were running for ever."""
    song = write_song(tmp_path / "Band - Song.wav", make_song(60.0, 44100), 44100)
    with running(
        [sys.executable, "-m", "cli.main", "process", song, "--stages", "", "--json"],
        cwd=tmp_path,
        env={**os.environ, **shell.environment(), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ):
        wait_until(lambda: any(shell.data.rglob("separation.1/kept/**/*.f32")))
    store = JobStore(shell.data)
    (job_id,) = store.job_ids()
    assert store.load(job_id).state == "running"

    job = shell.json("job", "retry", job_id)

    assert (job["job_id"], job["state"], job["n_failed_tracks"]) == (job_id, "completed", 0)
    manifest = store.load(job_id)
    assert [manifest.stage(name, 0).attempts for name in ("decode", "separation")] == [1, 2]
    assert manifest.n_retries == 1

    again = shell.run("job", "retry", job_id)
    assert again.returncode == 1
    assert "error (job_not_retryable)" in again.stderr


def test_an_unknown_job_is_an_error(shell: Shell) -> None:
    for name in ("nonsense", "../../etc/passwd", "01890a5d-ac96-774b-bcce-b302099a8057"):
        result = shell.run("job", "retry", name)
        assert result.returncode == 1
        assert "error (job_not_found)" in result.stderr
    assert not any(shell.data.glob("locks/*.run.lock"))


@pytest.fixture
def done(shell: Shell, tmp_path: Path) -> Any:
    """A job of one song, as the command printed it."""
    song = write_song(tmp_path / "Band - Song.wav", make_song(4.0, 44100), 44100)
    return shell.json("process", song, "--stages", "composite,normalization")


def test_a_job_is_verified(shell: Shell, done: Any) -> None:
    found = shell.json("job", "verify", done["job_id"])
    assert (found["missing"], found["changed"]) == ([], [])
    files = [a for track in done["tracks"] for a in track["artefacts"]] + done["artefacts"]
    assert found["n_files"] == len({a["path"] for a in files})
    assert found["n_bytes"] == sum({a["path"]: a["bytes"] for a in files}.values())
    (check,) = found["sums"]
    assert check["reason"] is None
    assert check["difference"] <= check["allowed"] < 1e-5
    assert "the stems sum (Band - Song.wav)" in shell.run("job", "verify", done["job_id"]).stdout


def test_lost_and_changed_files_are_found(shell: Shell, done: Any) -> None:
    (track,) = done["tracks"]
    stems = [artefact for artefact in track["artefacts"] if artefact["role"] == "stem"]
    Path(stems[0]["path"]).unlink()
    other = Path(stems[1]["path"])
    data = bytearray(other.read_bytes())
    data[-1] ^= 1
    other.write_bytes(data)
    result = shell.run("job", "verify", done["job_id"])
    assert result.returncode == 1
    assert f"missing: {stems[0]['name']}" in result.stdout
    assert f"changed: {stems[1]['name']}" in result.stdout
    assert "Files of stems are missing or changed." in result.stdout


def test_stems_that_do_not_sum_are_found(shell: Shell, done: Any) -> None:
    """Another recording in the place of the upload: every file is whole, and the sum is not."""
    store = JobStore(shell.data)
    (track,) = store.load(done["job_id"]).tracks
    write_song(store.upload_path(track.source.sha256), make_song(4.0, 44100, seed=5), 44100)
    result = shell.run("job", "verify", done["job_id"])
    assert result.returncode == 1
    assert "the stems do not sum (Band - Song.wav)" in result.stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--format", "mp3"), "mp3 is lossy."),
        (("--residual", "off"), "residual=off leaves the residual out."),
        (("--bit-depth", "16"), None),
        (("--bit-depth", "32f"), None),
        (("--format", "flac", "--bit-depth", "24"), None),
    ],
)
def test_a_sum_is_checked_where_stems_have_one(
    shell: Shell, tmp_path: Path, options: tuple[str, ...], reason: str | None
) -> None:
    song = write_song(tmp_path / "a.wav", make_song(2.0, 44100), 44100)
    job = shell.json("process", song, "--stages", "normalization", *options)
    (check,) = shell.json("job", "verify", job["job_id"])["sums"]
    assert check["reason"] == reason
    assert (check["difference"] is None) == (reason is not None)


def test_a_replay_gives_the_same_bytes(shell: Shell, done: Any) -> None:
    found = shell.json("job", "replay", done["job_id"])
    assert (found["different"], found["missing"], found["added"]) == ([], [], [])
    assert len(found["same"]) == sum(len(t["artefacts"]) for t in done["tracks"]) + len(
        done["artefacts"]
    )
    assert found["replay_id"] is None
    assert JobStore(shell.data).job_ids() == [done["job_id"]]


def test_a_replay_that_differs_is_kept(shell: Shell, done: Any) -> None:
    store = JobStore(shell.data)
    with store.update(done["job_id"]) as manifest:
        manifest.tracks[0].artefacts[0].sha256 = "0" * 64
        manifest.software["torch"] = "0.1"
        name = manifest.tracks[0].artefacts[0].name
    result = shell.run("job", "replay", done["job_id"])
    assert result.returncode == 1
    assert f"different: {name}" in result.stdout
    assert "torch: 0.1 then, " in result.stdout
    assert len(store.job_ids()) == 2


def test_a_replay_needs_the_upload(shell: Shell, done: Any) -> None:
    store = JobStore(shell.data)
    (track,) = store.load(done["job_id"]).tracks
    store.upload_path(track.source.sha256).unlink()
    result = shell.run("job", "replay", done["job_id"])
    assert result.returncode == 1
    assert "error (upload_not_found)" in result.stderr
    assert store.job_ids() == [done["job_id"]]
