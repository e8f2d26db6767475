"""Write the lock files from the ranges in pyproject.toml; `make lock` runs this.

Versions that are locked already stay while they fit. To raise them, pass uv's own options:

    python scripts/lock.py --upgrade
    python scripts/lock.py --upgrade-package numpy
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = str(Path(sys.executable).with_name("uv"))
HEADER = """\
# Every package that {who}, in the versions that are tested.
# Written by `make lock` (uv, universal: Linux and macOS, Python 3.11 and later) from the ranges in
# pyproject.toml: change them there. What torch's CUDA build needs on top (nvidia-*, triton) is left
# out: that build asks for it in exact versions, and the CPU build must stay one. `make setup` takes
# the build that fits the machine before the rest.
"""
PRODUCT, DEV = "requirements.txt", "requirements-dev.txt"


def _lock(output: str, who: str, arguments: list[str]) -> None:
    command = [UV, "pip", "compile", "--quiet", *arguments, "--output-file", output]
    subprocess.run(command, cwd=ROOT, check=True)
    path = ROOT / output
    path.write_text(HEADER.format(who=who) + path.read_text())


if __name__ == "__main__":
    options = sys.argv[1:]
    _lock(PRODUCT, "Stemcrate runs on", ["pyproject.toml", *options])
    checks = ["--group", "dev", "--constraint", PRODUCT, *options]
    _lock(DEV, "tests, benchmarks and checks need besides requirements.txt", checks)
