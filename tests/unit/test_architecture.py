"""The rooms of the house: who may import whom."""

import subprocess
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
CHECK = ROOT / "scripts" / "check_imports.py"


def loaded_by(module: str, *packages: str) -> list[str]:
    """List which packages are loaded in a new process that imports ``module``."""
    code = f"import sys, {module}; print(*sorted({set(packages)!r} & set(sys.modules)))"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return result.stdout.split()


def test_import_contracts_hold() -> None:
    """A core that imports the screen, or an API that reaches torch, is a different house."""
    result = subprocess.run([sys.executable, CHECK], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-3000:]


def test_imports_through_the_settings_are_seen(tmp_path: Path) -> None:
    """`config` is a module, which the linter passes over: a chain through it broke no contract."""
    for name in ("stemcrate", "core", "api", "ui", "cli", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    config = (ROOT / "config.py").read_text()
    (tmp_path / "config.py").write_text(f"{config}\nimport core.pipeline.context\nimport torch\n")
    (tmp_path / "scripts").mkdir()
    check = tmp_path / "scripts" / CHECK.name
    check.write_text(CHECK.read_text())
    result = subprocess.run([sys.executable, check], capture_output=True, text=True)
    assert result.returncode == 1
    for contract in ("the API process never reaches torch", "settings are read without numpy"):
        assert any(
            line.startswith(contract) and line.endswith("BROKEN")
            for line in result.stdout.splitlines()
        )


def test_the_client_needs_three_libraries() -> None:
    """Whoever wants the client alone should not have to install the analysis."""
    graph = grimp.build_graph("stemcrate", include_external_packages=True, cache_dir=None)
    own = {"stemcrate.client", *graph.find_descendants("stemcrate.client")}
    imported = {found for name in own for found in graph.find_modules_directly_imported_by(name)}
    others = {name for name in imported - own if not name.startswith("stemcrate.schemas.")}
    assert others - sys.stdlib_module_names == {"pydantic", "requests", "requests_toolbelt"}


def test_the_workbench_loads_nothing_of_core() -> None:
    """It waited for numpy when it started, and a change in core could break a page."""
    assert loaded_by("ui.connection", "core", "api", "cli", "config", "numpy") == []


def test_settings_load_no_numpy() -> None:
    assert loaded_by("config", "numpy", "soundfile", "streamlit", "requests") == []


def test_the_api_process_does_not_load_torch() -> None:
    """Torch costs seconds and hundreds of megabytes in a process that never separates."""
    assert loaded_by("api.main", "torch", "demucs", "librosa", "requests") == []
