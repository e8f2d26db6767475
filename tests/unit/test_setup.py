"""`make setup`: what it installs, and when, with a real pip and wheels made here."""

import json
import os
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from scripts import setup_venv
from tests.programs import count_missing

SCRIPT = Path(setup_venv.__file__)
WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write_wheel(folder: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(f"{info}/WHEEL", WHEEL)
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of two wheels, whose project counts as registered."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / SCRIPT.name).write_bytes(SCRIPT.read_bytes())
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "requirements.txt").write_text("torch==2.13.0  # via tests\nother==1.0\n")
    for name, version in (("torch", "2.13.0"), ("other", "1.0"), ("other", "1.1")):
        write_wheel(tmp_path, name, version)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / ".venv"], check=True)
    stamp = {"pyproject.toml": sha256(b"").hexdigest()}
    (tmp_path / ".venv" / setup_venv.STAMP).write_text(json.dumps(stamp))
    return tmp_path


def set_up(checkout: Path) -> None:
    environment = {
        **os.environ,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(checkout),
        "TORCH_INDEX": "--no-cache-dir",
    }
    command = [sys.executable, f"{checkout}/scripts/{SCRIPT.name}", f"{checkout}/.venv"]
    subprocess.run(command, env=environment, check=True)


def installed(checkout: Path, name: str) -> Path:
    (site,) = checkout.glob(".venv/lib/python*/site-packages")
    return site / f"{name}.py"


@pytest.mark.slow
def test_only_a_lock_that_changed_is_installed_again(checkout: Path) -> None:
    """Times of files change with every checkout, and all packages were gone through each time."""
    set_up(checkout)
    assert installed(checkout, "torch").exists()
    installed(checkout, "other").unlink()
    (checkout / "requirements.txt").touch()
    set_up(checkout)
    assert not installed(checkout, "other").exists(), "nothing changed but a time"
    (checkout / "requirements.txt").write_text("torch==2.13.0\nother==1.1\n")
    set_up(checkout)
    assert installed(checkout, "other").read_text() == "version = '1.1'\n"


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ("https://example.org/cu126", ["--index-url", "https://example.org/cu126"]),
        ("--index-url https://example.org/cu126", ["--index-url", "https://example.org/cu126"]),
    ],
)
def test_the_index_of_torch_can_be_named(
    monkeypatch: pytest.MonkeyPatch, given: str, options: list[str]
) -> None:
    monkeypatch.setenv("TORCH_INDEX", given)
    assert setup_venv.torch_index() == options


def test_missing_programs_are_counted_by_name() -> None:
    """A test that needs two programs is left out by either; other skips are nobody's fault."""
    reasons = [
        "Skipped: missing program: mixxx, xvfb",
        "Skipped: missing program: mixxx",
        "Skipped: this machine has CUDA",
    ]
    assert count_missing(reasons) == {"mixxx": 2, "xvfb": 1}
