"""The wheel by itself, as `uv tool install` and `pipx install` leave it: no checkout, no make."""

import json
import os
import shutil
import subprocess
import sys
import venv
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import numpy as np
import pytest
import soundfile
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
NOT_SOURCE = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "data", "tests")
RATE = 44100
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of the wheel and of what its metadata asks for; return its ``bin``."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "source", ignore=NOT_SOURCE)
    pip = [sys.executable, "-m", "pip", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    subprocess.run([*pip, "wheel", *options, str(folder / "source")], check=True)
    shutil.rmtree(folder / "source")
    (wheel,) = folder.glob("stemcrate-*.whl")
    environment = folder / "environment"
    venv.create(environment, symlinks=True)
    programs = environment / "bin"
    into = ["--python", str(programs / "python")]
    subprocess.run([*pip, *into, "install", "--no-deps", "--no-index", str(wheel)], check=True)
    (site,) = environment.glob("lib/python*/site-packages")
    (stemcrate,) = distributions(name="stemcrate", path=[str(site)])
    for name in closure(stemcrate):
        link_files(distribution(name), site)
    subprocess.run([*pip, *into, "check"], check=True)
    return programs


def closure(wheel: Distribution) -> set[str]:
    """Return the names of all packages that a package's metadata asks for, step by step."""
    found: set[str] = set()
    queue = [(wheel, "")]
    while queue:
        package, extra = queue.pop()
        for requirement in map(Requirement, package.requires or ()):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            name = canonicalize_name(requirement.name)
            for wanted in ("", *requirement.extras):
                if f"{name}[{wanted}]" not in found:
                    found.add(f"{name}[{wanted}]")
                    queue.append((distribution(name), wanted))
    return {name.partition("[")[0] for name in found}


def link_files(package: Distribution, site: Path) -> None:
    """Put an installed package into another environment: its files, not those in its ``bin``."""
    for file in package.files or ():
        if ".." in file.parts:
            continue
        target = site / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.symlink_to(Path(str(package.locate_file(file))).resolve())


def run(programs: Path, folder: Path, *arguments: str) -> str:
    """Run the command in a folder, with nothing of the checkout in reach."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {**kept, "DATA_DIR": str(folder / "data"), "HOME": str(folder)}
    result = subprocess.run(
        [programs / "stemcrate", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_it_runs_a_job(installed: Path, tmp_path: Path) -> None:
    """A module, a file of data or a requirement that the wheel lacks shows nowhere else."""
    time_s = np.arange(4 * RATE) / RATE
    song = 0.3 * np.sin(2 * np.pi * 220 * time_s) * (time_s % 0.5 < 0.1)
    soundfile.write(tmp_path / "song.wav", np.stack([song, song], axis=1), RATE)
    output = run(installed, tmp_path, "process", "song.wav", "--model", "spleeter", "--json")
    job = json.loads(output)
    assert job["state"] == "completed"
    names = {artefact["name"] for artefact in job["tracks"][0]["artefacts"]}
    assert any("vocals" in name for name in names)
    assert all(Path(artefact["path"]).exists() for artefact in job["tracks"][0]["artefacts"])


def test_its_metadata_has_ranges(installed: Path) -> None:
    """Pins would clash with whatever else somebody installs beside it."""
    (site,) = installed.parent.glob("lib/python*/site-packages")
    (stemcrate,) = distributions(name="stemcrate", path=[str(site)])
    requirements = [Requirement(text) for text in stemcrate.requires or ()]
    assert requirements
    assert not [r for r in requirements if any(s.operator == "==" for s in r.specifier)]
