"""Files that are either whole or absent: temporary name, fsync, rename."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import StorageFull


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn "no space left" of the operating system into `StorageFull`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageFull(
            "The disk has no room left for the output.",
            hint="Free some space or delete old jobs, then run the job again.",
        ) from error


@contextmanager
def atomic_path(destination: Path) -> Iterator[Path]:
    """Give a temporary path beside ``destination``; rename it there when the block succeeds.

    The temporary file is flushed to disk before the rename, and removed when the block raises.
    The block must have created the file. Raises `StorageFull` when the disk is full.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = destination.with_name(f".{secrets.token_hex(6)}.part")
    try:
        with storage_errors():
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


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
