"""The pages that show Python are run as they are: readers copy from them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conditions import PATIENCE_S
from tests.signals import make_song, write_song

ROOT = Path(__file__).parents[2]
RATE = 44100
# A line with nothing but the name of a file, and its content in the block below.
FILE = re.compile(r"^`([\w./-]+)`\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
pytestmark = pytest.mark.slow


def section(page: str, heading: str) -> str:
    """Return the text below a heading of the second level."""
    text = (ROOT / "docs" / page).read_text()
    return text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def blocks(text: str, language: str) -> list[str]:
    return [content for found, content in BLOCK.findall(text) if found == language]


def run(command: list[str], folder: Path, **environment: str) -> str:
    ours = {**os.environ, "DATA_DIR": str(folder / "data"), **environment}
    done = subprocess.run(
        command, cwd=folder, env=ours, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_plugin_of_the_tutorial_runs(tmp_path: Path) -> None:
    """A tutorial that does not run costs each of its readers an evening."""
    page = (ROOT / "docs" / "plugins.md").read_text()
    for name, content in FILE.findall(page):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    use = section("plugins.md", "Install and use it")
    install, process = blocks(use, "sh")[0].splitlines()
    write_song(tmp_path / "song.wav", make_song(4, RATE), RATE)

    assert install.startswith("pip install ")
    offline = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", "site"]
    run([sys.executable, "-m", "pip", "install", *offline, install.split()[-1]], tmp_path)
    path = os.pathsep.join([str(tmp_path / "site"), str(ROOT)])
    assert process.startswith("stemcrate ")
    command = [sys.executable, "-m", "cli.main", *process.split()[1:]]
    job = json.loads(run(command, tmp_path, PYTHONPATH=path))
    (track,) = job["tracks"]
    labels = {a["name"].rsplit("[", 1)[-1].split("]")[0] for a in track["artefacts"]}
    assert {"mid", "sides"} <= labels
    assert 0 < track["analysis"]["stereo_width"] < 1
    manifest = json.loads(Path(job["manifest"]).read_text())
    assert manifest["model"]["name"] == "mid-side"
    assert track["analysis"]["null_test"]["residual_dbfs"] is None or (
        track["analysis"]["null_test"]["residual_dbfs"] < -120
    )

    (export,) = blocks(use, "python")
    titles = run([sys.executable, "-c", export], tmp_path, PYTHONPATH=path)
    assert titles.strip() == "song"


def test_the_examples_without_a_server_run(tmp_path: Path) -> None:
    for number, name in enumerate(("song", "second", "third")):
        write_song(tmp_path / f"{name}.wav", make_song(6, RATE, seed=number), RATE)
    examples = blocks(section("examples.md", "From Python, without a server"), "python")
    assert len(examples) == 2
    for example in examples:
        run([sys.executable, "-c", example], tmp_path, PYTHONPATH=str(ROOT))
    assert (tmp_path / "sets" / "rekordbox.xml").is_file()
