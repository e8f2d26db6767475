"""A multipart body that is read while it is sent: no copy of a file is ever built in memory."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from typing import BinaryIO

FILE_FIELD = "file"


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file to upload: any seekable binary stream, and the name that people know it by."""

    name: str
    content: BinaryIO


class MultipartBody:
    """Form fields, then files, as ``multipart/form-data`` (RFC 7578).

    Give it to requests as ``data``: its length is known from the start, and `read` hands out the
    files piece by piece. It can be read once.
    """

    def __init__(self, fields: Mapping[str, str], files: Sequence[NamedFile]) -> None:
        self._boundary = uuid.uuid4().hex
        self._parts: list[BinaryIO] = []
        for name, value in fields.items():
            head = self._head(f'name="{quote_parameter(name)}"')
            self._parts.append(BytesIO(head + value.encode() + b"\r\n"))
        for file in files:
            file.content.seek(0)
            names = f'name="{FILE_FIELD}"; filename="{quote_parameter(file.name)}"'
            self._parts += [BytesIO(self._head(names)), file.content, BytesIO(b"\r\n")]
        self._parts.append(BytesIO(f"--{self._boundary}--\r\n".encode()))
        self._n_bytes = sum(_remaining(part) for part in self._parts)

    @property
    def content_type(self) -> str:
        """The header that goes with this body."""
        return f"multipart/form-data; boundary={self._boundary}"

    def __len__(self) -> int:
        return self._n_bytes

    def read(self, size: int = -1) -> bytes:
        """Give up to ``size`` bytes; none at the end."""
        while self._parts:
            if chunk := self._parts[0].read(size):
                return chunk
            self._parts.pop(0)
        return b""

    def _head(self, names: str) -> bytes:
        return f"--{self._boundary}\r\nContent-Disposition: form-data; {names}\r\n\r\n".encode()


def quote_parameter(text: str) -> str:
    """Quote a name as browsers do (HTML standard, multipart/form-data encoding)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _remaining(part: BinaryIO) -> int:
    position = part.tell()
    n_bytes = part.seek(0, SEEK_END) - position
    part.seek(position)
    return n_bytes
