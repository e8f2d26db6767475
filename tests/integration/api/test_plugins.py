"""Plug-ins over REST: stages by name, and packages that cannot be loaded."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.api.apps import open_client, run_here, submit, wav_bytes
from tests.plugins import install_plugin

CODE = """
from stemcrate.plugins import Facts, StageResult, TrackStage


class Listen(TrackStage):
    name = "listen"

    def execute(self, context):
        return StageResult(facts=Facts.model_validate({"heard": True}), notes=["a", "b"])
"""
POINTS = """
[stemcrate.stages]
listen = listening:Listen
nameless = listening:Listen
broken = listening_broken:Stage
key = listening:Listen

[stemcrate.exporters]
tape = listening_broken:FORMAT

[stemcrate.separators]
voices = listening_broken:build
"""


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package: one stage is as it should be, all else is not."""
    folder = tmp_path / "site"
    files = {"listening.py": CODE, "listening_broken.py": "import no_such_module"}
    install_plugin(folder, "listening", files, POINTS)
    monkeypatch.syspath_prepend(folder)
    return tmp_path / "data"


def test_a_stage_of_a_package_is_listed_and_runs_where_it_is_named(listening: Path) -> None:
    """Stages of plug-ins ran in every job or in none: their names were refused."""
    with open_client(listening) as client:
        assert client.get("/config").json()["stages"][-1] == "listen"
        job = submit(client, model="none", stages="listen")
        other = submit(client, model="none", stages="")
        for job_id in (job, other):
            run_here(client, job_id)
        (track,) = client.get(f"/job/{job}/manifest").json()["tracks"]
        assert [stage["name"] for stage in track["stages"]] == ["decode", "listen"]
        assert track["stages"][-1]["result"] == {"notes": ["a", "b"]}
        assert track["analysis"]["heard"] is True
        (track,) = client.get(f"/job/{other}/manifest").json()["tracks"]
        assert [stage["name"] for stage in track["stages"]] == ["decode"]


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("dance", ["dance", "tempo", "listen"]),
        ("broken", ["broken", "listening", "no_such_module"]),
        ("nameless", ["nameless", "listening"]),
        ("decode", ["decode", "tempo"]),
    ],
)
def test_a_stage_that_cannot_run_is_refused_with_the_reason(
    listening: Path, stage: str, words: list[str]
) -> None:
    files = [("file", ("song.wav", wav_bytes(0.5)))]
    with open_client(listening) as client:
        answer = client.post("/process", files=files, data={"stages": f"tempo,{stage}"})
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (
        422,
        "invalid_option",
        "stages",
    )
    for word in words:
        assert word in f"{problem['detail']} {problem['hint']}"


def test_a_package_that_cannot_be_loaded_does_not_end_the_api(listening: Path) -> None:
    """One broken package would take every job of an installation with it."""
    with open_client(listening) as client:
        config = client.get("/config").json()
        assert not {"broken", "nameless"} & set(config["stages"])
        job = submit(client, model="none", stages="tempo")
        run_here(client, job)
        assert client.get(f"/job/{job}").json()["state"] == "completed"
