"""Check the import contracts of pyproject.toml with `config` in the import graph.

The linter reads packages alone. So it is run in a folder in which every package is linked, and
`config.py` stands as the package `config`: chains of imports that lead through the settings are
seen like all others. Run by itself, `lint-imports` takes `config` for somebody else's module.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
LINTER = Path(sys.executable).with_name("lint-imports")
MODULE = "config"


def check(folder: Path) -> int:
    """Lay out ``folder``, run the linter in it, and return its exit code."""
    text = (ROOT / "pyproject.toml").read_text()
    packages = tomllib.loads(text)["tool"]["importlinter"]["root_packages"]
    for package in packages:
        (folder / package).symlink_to(ROOT / package)
    (folder / MODULE).mkdir()
    (folder / MODULE / "__init__.py").symlink_to(ROOT / f"{MODULE}.py")
    (folder / "pyproject.toml").write_text(
        text.replace("root_packages = [", f'root_packages = ["{MODULE}", ', 1)
    )
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run([LINTER, "--no-cache"], cwd=folder, env=environment).returncode


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        sys.exit(check(Path(folder)))
