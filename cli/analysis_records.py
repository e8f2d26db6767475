"""Records of `stemcrate analyze`: ``{name}.analysis.json`` beside files or in a folder."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from core.system.atomic import atomic_path

SUFFIX = ".analysis.json"

Record = dict[str, Any]

_HEAD_BYTES = 8192  # the path, which may be long, comes before the hash
_SHA256 = re.compile(rb'"sha256": "([0-9a-f]{64})"')


def place_records(
    files: Sequence[Path], asked: Sequence[Path], output_dir: Path | None
) -> Iterator[Path]:
    """Return the path of each file's record: beside it, or at the same place in a folder.

    Files that differ only in their suffix keep it: ``song.mp3.analysis.json``.
    """
    roots = [path.resolve() for path in asked if path.is_dir()]
    namesakes = Counter(file.with_suffix("") for file in files)
    for file in files:
        name = file.name if namesakes[file.with_suffix("")] > 1 else file.stem
        folder = file.parent
        if output_dir is not None:
            root = next((root for root in roots if file.is_relative_to(root)), file.parent)
            folder = output_dir / file.parent.relative_to(root)
        yield folder / f"{name}{SUFFIX}"


def list_trees(asked: Sequence[Path], output_dir: Path | None) -> tuple[Path, ...]:
    """Return the folders that may hold records at any depth; none is inside another."""
    trees = [output_dir] if output_dir is not None else [path for path in asked if path.is_dir()]
    folders = {path.resolve() for path in trees}
    return tuple(sorted(path for path in folders if folders.isdisjoint(path.parents)))


def find_records(sha256: str, trees: Sequence[Path], folder: Path) -> Iterator[Path]:
    """Yield the records of these bytes in a folder, and anywhere in ``trees``.

    Each folder is scanned once per process; later records are not found.
    """
    for index in (_index_folder(folder), *map(_index_tree, trees)):
        yield from index.get(sha256, ())


def forget_records() -> None:
    """Forget the scanned folders."""
    _index_tree.cache_clear()
    _index_folder.cache_clear()


def load_record(path: Path) -> Record | None:
    """Read a record; None if it is missing or damaged."""
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError):  # none yet, or cut short by somebody else: analyse again
        return None
    return record if isinstance(record, dict) else None


def save_record(path: Path, record: Record) -> None:
    """Write a record atomically. Raises `OSError`, `StorageFull`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")


@cache
def _index_tree(tree: Path) -> dict[str, list[Path]]:
    index: dict[str, list[Path]] = {}
    for parent, _, _ in os.walk(tree):
        for sha256, paths in _index_folder(Path(parent)).items():
            index.setdefault(sha256, []).extend(paths)
    return index


@cache
def _index_folder(folder: Path) -> dict[str, list[Path]]:
    index: dict[str, list[Path]] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        sha256 = _read_sha256(path)
        if sha256 is not None:
            index.setdefault(sha256, []).append(path)
    return index


def _read_sha256(path: Path) -> str | None:
    """Find the hash in the first bytes of a record."""
    try:
        with path.open("rb") as file:
            found = _SHA256.search(file.read(_HEAD_BYTES))
    except OSError:
        return None
    return found[1].decode() if found else None
