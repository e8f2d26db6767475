"""How fast the command line answers: what it loads before it knows what is asked."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
HEAVY = ("torch", "librosa", "streamlit", "scipy", "numba", "sqlalchemy", "dbos", "fastapi")


def _loaded(code: str, folder: Path) -> set[str]:
    result = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        cwd=ROOT,
        env={"DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(result.stdout.splitlines()[-1].split())


def test_help_waits_for_no_heavy_library(tmp_path: Path) -> None:
    """Every command, and every help text, took two seconds when one command loaded SciPy."""
    assert not _loaded("import cli.main", tmp_path) & {*HEAVY}


def test_a_list_of_tracks_waits_for_no_analyser(tmp_path: Path) -> None:
    """Looking a track up must not load what analyses or separates."""
    code = "from cli.main import app\napp(['library', 'list', '--json'], standalone_mode=False)"
    assert not _loaded(code, tmp_path) & {"torch", "scipy", "librosa"}
