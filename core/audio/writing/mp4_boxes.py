"""Boxes of an MP4: a ``stem`` box is inserted, and ``moov`` moved before the audio.

Readers of STEM files scan the boxes from the start, and some misread the 64-bit length of a large
``mdat``, so ``moov`` has to come first. That moves the audio; the tables of chunk offsets
(``stco``, ``co64``) are updated.

Reference: ISO/IEC 14496-12, sections 4.2 (boxes) and 8.7.5 (chunk offsets).
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from core.errors import UnsupportedFormat

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}
_OFFSET_WIDTHS = {b"stco": (">I", 4), b"co64": (">Q", 8)}


def insert_stem_box(source: Path, destination: Path, content: bytes) -> None:
    """Copy an MP4, insert a box ``moov/udta/stem``, and move ``moov`` before the audio.

    Parameters
    ----------
    source : a file written by FFmpeg's muxer, with ``moov`` after the audio.

    Raises
    ------
    UnsupportedFormat : the audio ends beyond 4 GiB, out of range for 32-bit chunk offsets.
    ValueError : the file is not such an MP4.
    """
    with source.open("rb") as file:
        boxes = list(_top_level(file))
        names = [name for name, _, _ in boxes]
        if names.count(b"moov") != 1 or names[0] != b"ftyp" or names[-1] != b"moov":
            raise ValueError(f"{source.name} is not an MP4 with moov at its end")
        _, start, length = boxes[-1]
        file.seek(start)
        moov = bytearray(_with_stem(file.read(length), content))
        _move_chunks(moov, len(moov))
        with destination.open("wb") as out:
            file.seek(0)
            first = boxes[0][2]
            out.write(file.read(first))
            out.write(moov)
            _copy(file, out, start - first)


def _top_level(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, offset and length of the file's boxes."""
    end = file.seek(0, 2)
    at = 0
    while at < end:
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
        if length < 8:
            raise ValueError("a box of the MP4 has no length")
        yield name, at, length
        at += length


def _with_stem(moov: bytes, content: bytes) -> bytes:
    """Insert the stem box into ``udta``, which is created if missing."""
    stem = struct.pack(">I4s", 8 + len(content), b"stem") + content
    body = b""
    found = False
    for name, start, stop in _children(moov, 8, len(moov)):
        box = moov[start:stop]
        if name == b"udta":
            found = True
            box = struct.pack(">I4s", len(box) + len(stem), b"udta") + box[8:] + stem
        body += box
    if not found:
        body += struct.pack(">I4s", 8 + len(stem), b"udta") + stem
    return struct.pack(">I4s", 8 + len(body), b"moov") + body


def _children(data: bytes | bytearray, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    while start + 8 <= stop:
        length, name = struct.unpack_from(">I4s", data, start)
        yield name, start, start + length
        start += length


def _move_chunks(moov: bytearray, by: int) -> None:
    """Add ``by`` to every chunk offset, in place."""
    pending = [(0, len(moov))]
    while pending:
        for name, start, stop in _children(moov, *pending.pop()):
            if name in _CONTAINERS:
                pending.append((start + 8, stop))
            elif name in _OFFSET_WIDTHS:
                _move_table(moov, start, by, *_OFFSET_WIDTHS[name])


def _move_table(moov: bytearray, start: int, by: int, code: str, width: int) -> None:
    (count,) = struct.unpack_from(">I", moov, start + 12)
    limit = 256**width
    for at in range(start + 16, start + 16 + count * width, width):
        (offset,) = struct.unpack_from(code, moov, at)
        if offset + by >= limit:
            raise UnsupportedFormat(
                "The STEM file would exceed 4 GiB.", hint="Choose 16 bits or AAC.", field="format"
            )
        struct.pack_into(code, moov, at, offset + by)


def _copy(source: BinaryIO, destination: BinaryIO, length: int) -> None:
    while length:
        chunk = source.read(min(length, 2**20))
        if not chunk:
            raise ValueError("the MP4 is truncated")
        destination.write(chunk)
        length -= len(chunk)
