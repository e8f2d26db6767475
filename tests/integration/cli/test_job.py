"""stemcrate job retry: goes on with a job of this machine."""

import os
import subprocess
import sys
from pathlib import Path

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
