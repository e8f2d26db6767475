"""The data folder's protection, and a full disk told from other write errors."""

import errno
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
                hint="Free some space and run the job again.",
            ) from error
        raise
