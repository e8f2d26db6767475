"""stemcrate doctor as a user runs it, on this machine."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.models import write_tiny_htdemucs

ROOT = Path(__file__).parents[3]


def _doctor(tmp_path: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path / "hub"), "HOME": str(tmp_path)}
    places = {"DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "doctor", *arguments],
        cwd=tmp_path,
        env=environment | places | settings,
        capture_output=True,
        text=True,
    )


def _report(result: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(result.stdout)
    return loaded


def test_a_sound_installation(tmp_path: Path) -> None:
    """The one command that a bug report starts with: every fact has to be there."""
    write_tiny_htdemucs(tmp_path / "models")
    result = _doctor(tmp_path, "--json", MODEL_DIR=str(tmp_path / "models"), DEVICE="cpu")
    assert result.returncode == 0, result.stderr
    report = _report(result)
    assert report["problems"] == []
    devices = {device["name"].split(":")[0]: device for device in report["devices"]}
    assert set(devices) == {"cuda", "mps", "cpu"}
    assert all(device["description"] for device in report["devices"])
    assert report["device"]["used"] == "cpu"
    assert 0 < report["memory"]["available_bytes"] <= report["memory"]["total_bytes"]
    assert report["data_dir"]["free_bytes"] > 0
    assert not list((tmp_path / "data").iterdir())
    assert {"libavcodec", "libavformat", "libsndfile"} <= report["libraries"].keys()
    here = {model["name"]: model["sha256"] for model in report["models"] if model["available"]}
    assert set(here) == {"htdemucs", "spleeter"}
    assert all(len(digest) == 64 for digest in here.values())
    assert report["model"]["used"] == ["htdemucs"]
    speed = report["benchmark"]
    assert (speed["model"], speed["device"]) == ("htdemucs", "cpu")
    assert 0 < speed["audio_s"] <= 10
    assert speed["realtime_factor"] == pytest.approx(speed["audio_s"] / speed["seconds"])


def test_people_read_sentences(tmp_path: Path) -> None:
    result = _doctor(tmp_path)
    assert result.returncode == 0, result.stderr
    for fact in ("Memory:", "Disk:", "libavcodec", "Will run on", "Will separate with spleeter"):
        assert fact in result.stdout
    assert "times real time" in result.stdout
    assert result.stdout.strip().endswith("Nothing that is needed is broken.")


def test_all_that_is_broken_is_told_at_once(tmp_path: Path) -> None:
    """A script that sets up a server must notice before the first job does."""
    import torch

    device = "mps" if torch.cuda.is_available() else "cuda"
    broken = {"SEPARATOR_MODEL": "htdemucs_ft", "DATA_DIR": "/proc/nothing", "DEVICE": device}
    result = _doctor(tmp_path, "--json", **broken)
    assert result.returncode == 1
    report = _report(result)
    assert report["benchmark"] is None
    problems = "\n".join(report["problems"])
    for sentence in (
        f"no device '{device}'",
        "stemcrate models fetch htdemucs_ft",
        "DATA_DIR, /proc/nothing, cannot be written",
    ):
        assert sentence in problems


def test_a_damaged_model_is_a_problem(tmp_path: Path) -> None:
    """Its files are there, so that only who reads them finds out."""
    models = write_tiny_htdemucs(tmp_path / "models", name="damaged")
    file = next(models.glob("*.th"))
    file.write_bytes(file.read_bytes()[:-1])
    result = _doctor(tmp_path, MODEL_DIR=str(models), SEPARATOR_MODEL="damaged")
    assert result.returncode == 1
    assert "SHA-256" in result.stderr
    assert "Nothing that is needed is broken" not in result.stdout
