"""The body of an upload: its length is true, and it is never all in memory."""

import io
from pathlib import Path
from typing import BinaryIO, cast

from stemcrate.client.uploads import NamedFile, open_body

MIB = 1 << 20


class CountingFile(io.RawIOBase):
    """A file of zeros that remembers the most that was asked of it at once."""

    def __init__(self, n_bytes: int) -> None:
        self.len = n_bytes
        self.position = 0
        self.most = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.position = offset + {io.SEEK_SET: 0, io.SEEK_END: self.len}[whence]
        return self.position

    def tell(self) -> int:
        return self.position

    def read(self, size: int = -1) -> bytes:
        left = self.len - self.position
        size = left if size < 0 else min(size, left)
        self.most = max(self.most, size)
        self.position += size
        return bytes(size)


def test_a_large_file_is_read_piece_by_piece() -> None:
    """A copy in memory costs as much again as the upload itself."""
    file = CountingFile(300 * MIB)
    named = NamedFile("long.wav", cast(BinaryIO, file))
    with open_body([named], {"model": "auto"}, None) as body:
        n_read = 0
        while chunk := body["data"].read(64 * 1024):
            n_read += len(chunk)
        assert n_read == body["data"].len > 300 * MIB
    assert file.most <= 64 * 1024


def test_a_file_that_was_read_before_is_sent_from_its_start() -> None:
    """After an error the same upload is sent again."""
    content = io.BytesIO(b"song")
    content.read()
    with open_body([NamedFile("x", content)], {}, None) as body:
        assert b"song" in body["data"].read()


def test_a_path_is_opened_named_by_its_last_part_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "Träume.wav"
    path.write_bytes(b"song")
    with open_body([str(path)], {}, None) as body:
        data = body["data"].read()
    assert 'filename="Träume.wav"'.encode() in data
    assert data.index(b"song") > 0
