"""Commands whose database does not answer: a sentence and exit code 1 instead of a traceback."""

from pathlib import Path

import pytest

from bench.databases import Server, locked
from core.system import database
from tests.integration.cli.shell import Shell
from tests.programs import requires
from tests.signals import make_song, write_song

COMMANDS = (
    ("library", "list"),
    ("library", "search", "word"),
    ("library", "reindex"),
    ("library", "similar", "abcdef12"),
    ("playlist", "--name", "Set"),
)


@requires("postgresql")
def test_a_stopped_postgresql_is_named(tmp_path: Path, postgres: Server) -> None:
    shell = Shell(tmp_path)
    assert shell.run("library", "list", DATABASE_URL=postgres.url).returncode == 0
    postgres.stop()
    for command in COMMANDS:
        result = shell.run(*command, DATABASE_URL=postgres.url)
        assert result.returncode == 1, (command, result)
        assert "error (database_unavailable): The database does not answer." in result.stderr
        assert "DATABASE_URL" in result.stderr
        assert "Traceback" not in result.stderr


@requires("postgresql")
def test_a_job_runs_without_its_database(tmp_path: Path, postgres: Server) -> None:
    """Nothing of ``process`` needs it: the tracks come into the library later."""
    shell = Shell(tmp_path)
    write_song(tmp_path / "song.wav", make_song(1.0, 22_050), 22_050)
    postgres.stop()
    result = shell.run_as_process(
        "process", "song.wav", "--model", "none", "--stages", "tempo", DATABASE_URL=postgres.url
    )
    assert result.returncode == 0, result.stderr
    assert "jobs are added later: The database does not answer." in result.stderr
    assert "Traceback" not in result.stderr


def test_a_locked_sqlite_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.1)
    shell = Shell(tmp_path)
    assert shell.run("library", "list").returncode == 0
    database.engine_for.cache_clear()
    with locked(shell.data / "stemcrate.sqlite"):
        result = shell.run("library", "reindex")
    assert result.returncode == 1
    assert "error (database_unavailable): The database is locked" in result.stderr
