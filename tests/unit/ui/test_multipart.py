"""The body of an upload: its length is true, and it is never all in memory."""

import io
from typing import BinaryIO, cast

import pytest

from ui.multipart import MultipartBody, NamedFile

MIB = 1 << 20


class CountingFile(io.RawIOBase):
    """A file of zeros that remembers the most that was asked of it at once."""

    def __init__(self, n_bytes: int) -> None:
        self.n_bytes = n_bytes
        self.position = 0
        self.most = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.position = offset + {io.SEEK_SET: 0, io.SEEK_END: self.n_bytes}[whence]
        return self.position

    def tell(self) -> int:
        return self.position

    def read(self, size: int = -1) -> bytes:
        left = self.n_bytes - self.position
        size = left if size < 0 else min(size, left)
        self.most = max(self.most, size)
        self.position += size
        return bytes(size)


def test_a_large_file_is_read_piece_by_piece() -> None:
    """A copy in memory costs as much again as the upload itself."""
    file = CountingFile(300 * MIB)
    body = MultipartBody({"model": "auto"}, [NamedFile("long.wav", cast(BinaryIO, file))])
    n_read = 0
    while chunk := body.read(64 * 1024):
        n_read += len(chunk)
    assert n_read == len(body) > 300 * MIB
    assert file.most <= 64 * 1024


@pytest.mark.parametrize("size", [1, 7, 4096, -1])
def test_the_length_is_that_of_what_is_read(size: int) -> None:
    body = MultipartBody({"a": "ä"}, [NamedFile("x", io.BytesIO(b"abc"))])
    announced, data = len(body), b""
    while chunk := body.read(size):
        data += chunk
    assert len(data) == announced
    assert data.endswith(b"--\r\n")


def test_a_file_that_was_read_before_is_sent_from_its_start() -> None:
    """After an error the same upload is sent again."""
    content = io.BytesIO(b"song")
    content.read()
    body = MultipartBody({}, [NamedFile("x", content)])
    assert b"song" in b"".join(iter(lambda: body.read(8192), b""))
