"""The disk of the data folder: its protection, its free space, and errors when it is full."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import StorageFull

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def create_data_dir(folder: Path) -> None:
    """Create a data folder that its owner alone can open; leave an existing one as it is.

    It protects all below it: uploads, results and the database.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Translate "no space left" errors, including FFmpeg's, to `StorageFull`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(
                f"The disk is full: {path.name} could not be written.",
                hint="Free some space and try again.",
            ) from error
        raise


def free_bytes(folder: Path) -> int:
    """Return the bytes that this user can still write to the disk of ``folder``."""
    return shutil.disk_usage(folder).free


def disk_space(folder: Path) -> tuple[int, int]:
    """Return the bytes of the disk of ``folder``, and those that this user can still write."""
    usage = shutil.disk_usage(folder)
    return usage.total, usage.free


def require_free(folder: Path, min_bytes: int) -> None:
    """Raise `StorageFull` if the disk of ``folder`` has fewer free bytes; 0 accepts any."""
    if min_bytes and (n_free := free_bytes(folder)) < min_bytes:
        raise StorageFull(
            f"The disk has {n_free / 1e6:.0f} MB of free space, "
            f"less than the {min_bytes / 1e6:.0f} MB required for new files.",
            hint="Delete jobs or other files, or lower MIN_FREE_BYTES.",
        )
