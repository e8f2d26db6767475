"""Make .venv hold what the lock files say; do nothing where it does. `make setup` runs this.

Packages are installed again when a lock file's content changed, and the project is registered again
when pyproject.toml's did; what was done is kept as hashes in the environment. Only the standard
library is used, as nothing is installed yet.
"""

import argparse
import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
PRODUCT, DEV, PROJECT = "requirements.txt", "requirements-dev.txt", "pyproject.toml"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
REACH_S = 3.0
STAMP = "stemcrate-setup.json"


class Environment:
    """A virtual environment, and the hashes of the files that it was set up from."""

    def __init__(self, folder: Path) -> None:
        self._python = folder / "bin" / "python"
        self._stamp = folder / STAMP
        if not self._python.exists():
            venv.create(folder, with_pip=True)
        self._hashes: dict[str, str] = (
            json.loads(self._stamp.read_text()) if self._stamp.exists() else {}
        )

    def lacks(self, name: str) -> bool:
        """Return whether a file of the project differs from the one that was set up from."""
        return self._hashes.get(name) != content_hash(name)

    def install(self, *arguments: str) -> None:
        """Run ``pip install``."""
        command = [
            str(self._python),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        done = subprocess.run([*command, *arguments], cwd=ROOT)
        if done.returncode:
            sys.exit(done.returncode)  # pip has said why

    def keep(self, name: str) -> None:
        """Record that the environment holds what a file of the project says."""
        self._hashes[name] = content_hash(name)
        self._stamp.write_text(json.dumps(self._hashes, indent=2))


def content_hash(name: str) -> str:
    """Return the SHA-256 of a file of the project."""
    return hashlib.sha256((ROOT / name).read_bytes()).hexdigest()


def torch_pin() -> str:
    """Return torch's line of the lock: ``torch==2.13.0``."""
    lines = (ROOT / PRODUCT).read_text().splitlines()
    return next(line.split()[0] for line in lines if line.startswith("torch=="))


def torch_index() -> list[str]:
    """Return pip's options for the build of torch that fits this machine.

    ``TORCH_INDEX`` overrides: a URL, or options of pip. On Linux the default index serves the CUDA
    build, gigabytes larger, which only a machine with NVIDIA's driver can use.
    """
    given = os.environ.get("TORCH_INDEX", "").strip()
    if given:
        return shlex.split(given) if given.startswith("-") else ["--index-url", given]
    if platform.system() != "Linux" or has_nvidia_driver() or not answers(CPU_INDEX):
        return []
    return ["--index-url", CPU_INDEX]


def has_nvidia_driver() -> bool:
    """Return whether NVIDIA's driver is installed."""
    return Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi") is not None


def answers(index: str) -> bool:
    """Return whether a package index answers within seconds."""
    request = urllib.request.Request(f"{index}/torch/", method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=REACH_S):
            return True
    except (OSError, urllib.error.URLError):
        return False


def main() -> None:
    """Set up the environment that the command line names."""
    if sys.version_info < (3, 11):  # noqa: UP036 (an older one may start this file)
        sys.exit("Stemcrate needs Python 3.11 or later.")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dev", action="store_true", help="with what tests and checks need")
    arguments = parser.parse_args()
    environment = Environment(arguments.folder)
    if environment.lacks(PRODUCT):
        # First and by itself, so that no other package brings the build of the default index.
        environment.install("--no-deps", torch_pin(), *torch_index())
        environment.install("--requirement", PRODUCT)
        environment.keep(PRODUCT)
    if arguments.dev and environment.lacks(DEV):
        environment.install("--requirement", PRODUCT, "--requirement", DEV)
        environment.keep(DEV)
    if environment.lacks(PROJECT):
        environment.install("--no-deps", "--editable", ".")
        environment.keep(PROJECT)


if __name__ == "__main__":
    main()
