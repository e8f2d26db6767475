"""Peers in an environment of their own, because of their licence or libraries."""

import json
import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PEERS = {"essentia": "essentia", "mixxx": "mixxx_analyzer"}
"""Peers and the module that each needs; ``bench/{peer}_facts.py`` runs it."""


def has_peer(python: Path, peer: str) -> bool:
    """Check whether a peer is installed in the environment of an interpreter."""
    command = [str(python), "-c", f"import {PEERS[peer]}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def ask_peer(python: Path, peer: str, paths: Sequence[Path]) -> tuple[list[dict[str, Any]], float]:
    """Return a peer's facts of each file, and its CPU seconds including the start.

    Raises
    ------
    RuntimeError : it failed or omitted files; holds its error output.
    """
    script = Path(__file__).with_name(f"{peer}_facts.py")
    before = _children_cpu_s()
    done = subprocess.run([python, script, *paths], capture_output=True, text=True, check=False)
    seconds = _children_cpu_s() - before
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or len(found) != len(paths):
        raise RuntimeError(
            f"{peer} returned {len(found)} of {len(paths)} results: {done.stderr.strip()[-500:]}"
        )
    return found, seconds


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
