"""A full disk, told apart from other failures of writing."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import StorageFull

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn the system's "no space left", also as FFmpeg passes it on, into `StorageFull`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(
                f"The disk is full: {path.name} could not be written.",
                hint="Free some space and run the job again.",
            ) from error
        raise
