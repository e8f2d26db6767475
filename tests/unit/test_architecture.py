"""The rooms of the house: who may import whom."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_import_contracts_hold() -> None:
    """A core that imports the screen, or an API that reaches torch, is a different house."""
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-3000:]


def test_the_api_process_does_not_load_torch() -> None:
    """Torch costs seconds and hundreds of megabytes in a process that never separates."""
    code = "import sys, api.main; print(sorted({'torch', 'demucs', 'librosa'} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
