"""stemcrate backup and restore: the disk is lost, and nothing else."""

import shutil
from pathlib import Path

from tests.integration.cli.shell import Shell
from tests.signals import make_song, write_song


def test_a_lost_data_folder_is_restored(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    song = write_song(tmp_path / "Band - Song.wav", make_song(4.0, 44100), 44100)
    job = shell.json("process", song)
    (track,) = shell.json("library", "list")["tracks"]
    assert shell.run("library", "correct", track["id"], "--title", "Mine").returncode == 0
    listed = shell.json("library", "list")
    note = shell.json("backup", tmp_path / "copy")
    assert note["n_jobs"] == 1
    shutil.rmtree(shell.data)

    assert "jobs: 1" in shell.run("restore", tmp_path / "copy").stdout

    assert shell.json("job", "verify", job["job_id"])["missing"] == []
    assert shell.json("library", "list") == listed
    again = shell.run("restore", tmp_path / "copy")
    assert again.returncode == 2
    assert "is not empty" in again.stderr
