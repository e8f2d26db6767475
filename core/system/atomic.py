"""Files that are either whole or absent: temporary name, fsync, rename."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.system.disk import storage_errors


@contextmanager
def atomic_path(destination: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``destination``; rename it when the block succeeds.

    The temporary file is flushed to disk before the rename, and removed when the block raises.
    The block must have created the file. Raises `StorageFull` when the disk is full.
    """
    with storage_errors(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = destination.with_name(f".{secrets.token_hex(6)}.part")
    try:
        with storage_errors(destination):
            yield temporary
            _flush(temporary)
            temporary.replace(destination)
            _flush(destination.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(destination: Path, data: bytes) -> None:
    """Write ``data`` to ``destination`` so that no reader ever sees a part of it."""
    with atomic_path(destination) as temporary:
        temporary.write_bytes(data)


def move_into_place(source: Path, destination: Path) -> None:
    """Rename a complete file, replacing an older one; on disk when this returns.

    Both paths must be on one filesystem. Raises `StorageFull` when the disk is full.
    """
    with storage_errors(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        source.replace(destination)
        _flush(destination.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
