"""Uploads in parts: what a client announces, a part as it arrives, and what may be wrong."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from core.errors import (
    ChecksumMismatch,
    UploadBusy,
    UploadNotFound,
    UploadOffsetMismatch,
    UploadTooLarge,
)
from core.system.disk import storage_errors
from stemcrate.schemas.owners import LOCAL

INCOMING = "incoming"
UNCLAIMED_STAYS_S = 86_400.0
"""A laptop that was closed overnight continues in the morning."""
_ID = re.compile(r"[0-9a-f]{32}")


class Description(BaseModel):
    """What a client says of an upload when it starts."""

    owner: str = LOCAL
    name: str
    bytes: int
    metadata: str


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a part must hash to: an algorithm of hashlib, and the digest."""

    algorithm: str
    digest: bytes


class PartWriter:
    """Writes one part of an upload, counted and hashed."""

    def __init__(
        self, descriptor: int, description: Description, offset: int, checksum: Checksum | None
    ) -> None:
        self._descriptor = descriptor
        self._description = description
        self._checksum = checksum
        self._digest = hashlib.new(checksum.algorithm) if checksum else None
        self.offset = offset

    def write(self, data: bytes) -> None:
        """Append bytes. Raises `UploadTooLarge` beyond the announced size, and `StorageFull`."""
        name, n_bytes = self._description.name, self._description.bytes
        if self.offset + len(data) > n_bytes:
            raise UploadTooLarge(
                f"More than the announced {n_bytes} bytes of '{name}' were sent.",
                hint="Start a new upload with the right Upload-Length.",
            )
        if self._digest:
            self._digest.update(data)
        with storage_errors(Path(name)):
            rest = memoryview(data)
            while rest:
                n_written = os.write(self._descriptor, rest)
                rest = rest[n_written:]
                self.offset += n_written

    def finish(self) -> None:
        """Flush to disk. Raises `ChecksumMismatch`."""
        if self._digest and self._checksum and self._digest.digest() != self._checksum.digest:
            raise ChecksumMismatch(
                f"A part of '{self._description.name}' did not arrive as it was sent.",
                hint="Send it again.",
            )
        with storage_errors(Path(self._description.name)):
            os.fsync(self._descriptor)


def is_upload_id(text: str) -> bool:
    """Return whether ``text`` has the form of an upload's id; nothing else is used in a path."""
    return _ID.fullmatch(text) is not None


def require_offset(name: str, offset: int, arrived: int) -> None:
    """Raise `UploadOffsetMismatch` unless a part starts where the last one ended."""
    if offset != arrived:
        raise UploadOffsetMismatch(
            f"{arrived} bytes of '{name}' have arrived, so a part cannot start at {offset}.",
            hint="Ask for the offset with HEAD, and continue there.",
        )


def upload_busy(upload_id: str) -> UploadBusy:
    """Return what is raised while another request sends a part."""
    return UploadBusy(
        f"Another request is sending a part of the upload '{upload_id}'.",
        hint="Try again in a moment.",
    )


def no_upload(upload_id: str) -> UploadNotFound:
    """Return what is raised for an upload that is not there, or somebody else's."""
    return UploadNotFound(
        f"There is no upload '{upload_id[:64]}'.",
        hint=f"It may have been taken by a job, or expired. Start a new one. Uploads are kept for "
        f"{UNCLAIMED_STAYS_S / 3600:.0f} hours after their last part.",
    )
