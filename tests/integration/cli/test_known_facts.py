"""One recording by every door: the first analyses it, the others take what it found."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from core.analysis.version import ANALYSIS_VERSION
from stemcrate.schemas.facts import ANALYSIS_STAGES, JobFacts, TrackFacts
from tests.integration.cli.shell import Shell
from tests.signals import make_song, write_song

OF_JOB = JobFacts.model_fields.keys() - TrackFacts.model_fields.keys()
DECIDED_BY_VOCALS = {"vocals", "structure"}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "Band - Song.wav", make_song(6.0, 44100), 44100)


def _kept(shell: Shell) -> dict[str, str]:
    """When each part was found, by the part and its parameters: each analyser writes it anew."""
    (path,) = shell.data.glob("facts/*/*.json.gz")
    document = json.loads(gzip.decompress(path.read_bytes()))
    assert not any(OF_JOB & part["facts"].keys() for part in document["parts"])
    assert document["analysis_version"] == ANALYSIS_VERSION
    return {
        json.dumps([part["part"], part["parameters"]]): part["made_at"]
        for part in document["parts"]
    }


def _run(shell: Shell, *arguments: object) -> dict[str, Any]:
    result = shell.run_as_process(*arguments, "--json")
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


def _hits(shell: Shell, job: dict[str, Any]) -> set[str]:
    manifest = json.loads((shell.data / "outputs" / job["job_id"] / "manifest.json").read_text())
    return {stage["name"] for stage in manifest["tracks"][0]["stages"] if stage["cache_hit"]}


@pytest.mark.slow
def test_the_first_door_analyses_and_the_others_take_its_facts(shell: Shell, song: Path) -> None:
    """analyze, library add and process computed the same facts three times."""
    analysed = _run(shell, "analyze", song, "--no-files")
    first = _kept(shell)
    added = _run(shell, "library", "add", song)
    assert added["added"] == [analysed["sha256"]]
    plain = _run(shell, "process", song, "--model", "none")
    assert _kept(shell) == first
    assert _hits(shell, plain) == set(ANALYSIS_STAGES) - {"vocals"}
    facts = plain["tracks"][0]["analysis"]
    assert {name: facts[name] for name in analysed.keys() & facts.keys()} == {
        name: analysed[name] for name in analysed.keys() & facts.keys()
    }
    separated = _run(shell, "process", song, "--model", "spleeter")
    both = _kept(shell)
    assert {key: both[key] for key in first} == first
    decided = {json.loads(key)[0] for key in both.keys() - first.keys()}
    assert decided == DECIDED_BY_VOCALS | {"descriptors"}  # of the stems: no drums, no bass
    assert {"tempo", "key", "energy", "chords"} <= _hits(shell, separated)
    record = next((shell.data / "library" / "tracks").rglob("*.json")).read_text()
    assert {"gain_db", "null_test"} <= separated["tracks"][0]["analysis"].keys() & OF_JOB
    assert not OF_JOB & json.loads(record)["facts"].keys()
    assert json.loads(record)["analysis_version"] == ANALYSIS_VERSION


@pytest.mark.slow
def test_a_job_makes_the_facts_known_to_the_command_line(shell: Shell, song: Path) -> None:
    """Nothing that a job measured may be missing when the file itself is asked for."""
    _run(shell, "process", song, "--model", "none")
    first = _kept(shell)
    result = shell.run_as_process("analyze", song, "--no-files", "--json")
    assert "1 known already" in result.stderr
    assert json.loads(result.stdout)["waveform"]["length"] > 0
    assert _kept(shell) == first
    forced = shell.run_as_process("analyze", song, "--no-files", "--json", "--force")
    assert json.loads(forced.stdout) == json.loads(result.stdout)
    assert set(_kept(shell).values()).isdisjoint(first.values())
