"""Programs that cannot share this project's environment, run beside it: licence, or libraries."""

import json
import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PEERS = {"essentia": "essentia", "mixxx": "mixxx_analyzer"}
"""Peers and the module that each needs; ``bench/{peer}_facts.py`` asks it."""


def has_peer(python: Path, peer: str) -> bool:
    """Tell whether a peer is installed in the environment of an interpreter."""
    command = [str(python), "-c", f"import {PEERS[peer]}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def ask_peer(python: Path, peer: str, paths: Sequence[Path]) -> tuple[list[dict[str, Any]], float]:
    """Give what a peer finds in each file, and the CPU seconds that it took, start included.

    Raises
    ------
    RuntimeError : it failed, or left files out; says what it said.
    """
    script = Path(__file__).with_name(f"{peer}_facts.py")
    before = _children_cpu_s()
    done = subprocess.run([python, script, *paths], capture_output=True, text=True, check=False)
    seconds = _children_cpu_s() - before
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or len(found) != len(paths):
        raise RuntimeError(
            f"{peer} gave {len(found)} of {len(paths)} answers: {done.stderr.strip()[-500:]}"
        )
    return found, seconds


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
