"""Packages with plug-ins, as pip installs them: modules and the metadata with entry points."""

from collections.abc import Mapping
from pathlib import Path


def install_plugin(folder: Path, name: str, files: Mapping[str, str], entry_points: str) -> None:
    """Write a distribution into a folder; whoever has the folder on ``sys.path`` has it installed.

    Parameters
    ----------
    files : content by path below the folder.
    entry_points : content of ``entry_points.txt``.
    """
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    metadata = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(entry_points)
