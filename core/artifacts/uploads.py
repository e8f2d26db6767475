"""Bytes on their way into the store; whose they are is `core.artifacts.store`'s to keep."""

import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import UploadTooLarge
from core.system.disk import storage_errors

PART = ".part"


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes in the store: their SHA-256 (hex), their number, and what the client called them."""

    sha256: str
    n_bytes: int
    name: str


class UploadWriter:
    """Bytes on their way in: hashed and counted as they are written.

    Use as a context manager; what was not committed is removed. Raises `UploadTooLarge` once more
    than ``max_bytes`` have arrived, and `StorageFull`.

    Parameters
    ----------
    folder : where bytes stand that are not complete.
    adopt : takes over the complete file, its SHA-256 and the id of the job that it is for.
    """

    def __init__(
        self, folder: Path, name: str, max_bytes: int, adopt: Callable[[Path, str, str], None]
    ) -> None:
        self._adopt = adopt
        self._name = name
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._digest = hashlib.sha256()
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f".{secrets.token_hex(8)}{PART}"
        self._file = self._path.open("wb")

    def __enter__(self) -> "UploadWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        # On a full disk closing fails once more, on what is still buffered; the file goes anyway.
        with suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._n_bytes += len(data)
        if self._n_bytes > self._max_bytes:
            raise UploadTooLarge(
                f"'{self._name}' is larger than {self._max_bytes} bytes.",
                hint="Send a smaller file, or raise MAX_UPLOAD_BYTES.",
                field="file",
            )
        self._digest.update(data)
        with storage_errors(Path(self._name)):
            self._file.write(data)

    def commit(self, job_id: str) -> Upload:
        """Put the bytes in their place and mark them as used by ``job_id``."""
        with storage_errors(Path(self._name)):
            self._file.flush()
            os.fsync(self._file.fileno())
        upload = Upload(self._digest.hexdigest(), self._n_bytes, self._name)
        self._adopt(self._path, upload.sha256, job_id)
        return upload
