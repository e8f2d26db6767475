"""Resumable uploads (tus 1.0): what has arrived of a file."""

from datetime import datetime

from pydantic import BaseModel, Field

TUS_VERSION = "1.0.0"
CHECKSUMS = ("sha256", "sha1")
"""Algorithms of the header `Upload-Checksum`, by their names in hashlib."""


class UploadState(BaseModel):
    """A resumable upload. `POST /process` and `POST /library/tracks` take complete ones."""

    id: str
    name: str = Field(description="The client's name of the file.")
    bytes: int = Field(description="Size of the file.")
    offset: int = Field(description="Bytes that have arrived; the next part starts here.")
    expires_at: datetime = Field(description="When it is deleted unless more arrives.")

    @property
    def is_complete(self) -> bool:
        """Whether the whole file has arrived."""
        return self.offset == self.bytes
