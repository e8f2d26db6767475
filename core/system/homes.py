"""Where the libraries of owners are below one data folder.

library/…                     of `local`, the user of the machine
owners/{owner}/library/…      of each other owner, with a catalogue of its own
"""

from pathlib import Path

from stemcrate.schemas.owners import LOCAL, is_owner


def home_of(data_dir: Path, owner: str) -> Path:
    """Return the folder that holds an owner's library. Raises ValueError for no owner's name."""
    return data_dir / home_name(owner)


def home_name(owner: str) -> str:
    """Return how the names of an owner's records begin. Raises ValueError for no owner's name."""
    if not is_owner(owner):
        raise ValueError(f"'{owner}' is no owner")
    return "" if owner == LOCAL else f"owners/{owner}/"


def owners_in(data_dir: Path) -> list[str]:
    """List the owners that have a home, `local` first."""
    folder = data_dir / "owners"
    found = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    return [LOCAL, *filter(is_owner, found)]
