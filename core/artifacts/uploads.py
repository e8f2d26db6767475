"""Streams an upload to disk, hashed and counted; `core.artifacts.store` tracks its owners."""

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
    """Stored bytes: SHA-256 (hex), size, and the client's name for them."""

    sha256: str
    n_bytes: int
    name: str


class UploadWriter:
    """Writer that hashes and counts an upload as it arrives.

    Use as a context manager; an uncommitted upload is removed. Raises `UploadTooLarge` once more
    than ``max_bytes`` have arrived, and `StorageFull`.

    Parameters
    ----------
    folder : holds incomplete uploads.
    adopt : receives the complete file, its SHA-256 and the job's id.
    """

    def __init__(
        self, folder: Path, name: str, max_bytes: int, adopt: Callable[[Path, str, str], None]
    ) -> None:
        self._adopt = adopt
        self._name = name
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._digest = hashlib.sha256()
        self._path = folder / f".{secrets.token_hex(8)}{PART}"
        with storage_errors(Path(name)):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("wb")

    def __enter__(self) -> "UploadWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        # On a full disk, close() fails again on buffered data; the file is removed anyway.
        with suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Append the next bytes."""
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
        """Move the upload to its place and mark it as used by ``job_id``."""
        with storage_errors(Path(self._name)):
            self._file.flush()
            os.fsync(self._file.fileno())
        upload = Upload(self._digest.hexdigest(), self._n_bytes, self._name)
        self._adopt(self._path, upload.sha256, job_id)
        return upload
