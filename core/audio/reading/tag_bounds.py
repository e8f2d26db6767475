"""How large the tags of a recording are, and where its sound starts.

libmpg123 and FFmpeg compare every entry of a tag with all entries before it: 200,000 entries (4 MB)
take minutes. Decoders therefore never see an ID3v2 tag before the sound, and files with too many
entries elsewhere are refused.

References
----------
ID3v2: id3.org, ID3 tag version 2.4.0, main structure. Vorbis comments: Xiph, Ogg Vorbis I format
specification, 5. FLAC: RFC 9639. Ogg: RFC 3533. MP4: ISO/IEC 14496-12.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import BinaryIO

MAX_ENTRIES = 5000
"""Most entries of the tags that are read: FFmpeg takes 0.3 s for them. Files of shops and taggers
have up to some hundred."""
MAX_BYTES = 64_000_000
"""Largest ID3v2 tag that is read: it has room for several covers."""
_ID3_HEADER = 10  # bytes
_MAX_COMMENT_HEAD = 1 << 16  # bytes; longest text before the number of Vorbis comments
_MAX_BOXES = 1_000_000  # boxes of an MP4 that are skipped in search of its tags
_MAX_DEPTH = 8  # boxes around an entry of an MP4's tags; five are usual
_COMMENT_MAGIC = (b"\x03vorbis", b"OpusTags", b"\x81theora")
_TAG_BOXES = {b"moov", b"trak", b"udta", b"meta", b"ilst"}
_VORBIS_COMMENT = 4  # type of FLAC's metadata block


@dataclass(frozen=True, slots=True)
class TagBounds:
    """Size of a file's tags; numbers above `MAX_ENTRIES` are not exact.

    ``n_before`` counts the frames of the ID3v2 tags before the sound, which have ``bytes_before``
    bytes, and ``n_inside`` the entries of all other tags.
    """

    bytes_before: int
    n_before: int
    n_inside: int

    @property
    def is_readable(self) -> bool:
        """Return whether a tag reader may be given this file."""
        n_entries = self.n_before + self.n_inside
        return n_entries <= MAX_ENTRIES and self.bytes_before <= MAX_BYTES


def find_start(path: Path) -> int:
    """Return the offset of the first byte after the ID3v2 tags at the start of a file."""
    with path.open("rb") as file:
        return sum(size for _, size in _leading_tags(file))


def find_bounds(path: Path) -> TagBounds:
    """Measure a file's tags, without reading them.

    Counted are ID3v2 before the sound and in WAV and AIFF, LIST INFO, the chunks themselves, Vorbis
    comments in FLAC and Ogg, APEv2 at the end and the boxes of an MP4's tags.
    """
    with path.open("rb") as file:
        tags = list(_leading_tags(file))
        start = sum(size for _, size in tags)
        frames = (frame for at, size in tags for frame in _id3_entries(file, at, size))
        n_before = _count(frames)
        if len(tags) > MAX_ENTRIES:  # the sound was not reached
            return TagBounds(start, n_before, len(tags))
        file.seek(start)
        return TagBounds(start, n_before, _count(_inside(file)) + _count(_ape_items(file)))


def _count(entries: Iterator[None]) -> int:
    return sum(1 for _ in islice(entries, MAX_ENTRIES + 1))


def _leading_tags(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield offset and size of each ID3v2 tag at the start: some taggers stack them."""
    at = 0
    for _ in range(MAX_ENTRIES + 1):
        file.seek(at)
        size = _id3_size(file.read(_ID3_HEADER))
        if not size:
            return
        yield at, size
        at += size


def _id3_size(head: bytes) -> int:
    """Return the size of a tag with header and footer; 0 if there is none."""
    if len(head) < _ID3_HEADER or head[:3] != b"ID3" or 0xFF in head[3:5]:
        return 0
    size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    return _ID3_HEADER + size + (_ID3_HEADER if head[5] & 0x10 else 0)


def _id3_entries(file: BinaryIO, at: int, size: int) -> Iterator[None]:
    """Yield for a tag and each of its frames."""
    yield None
    file.seek(at)
    version = file.read(_ID3_HEADER)[3]
    n_name, n_head = (3, 6) if version == 2 else (4, 10)
    position = at + _ID3_HEADER
    while position + n_head <= at + size:
        file.seek(position)
        head = file.read(n_head)
        if len(head) < n_head or not head[0]:  # the rest is padding
            return
        yield None
        length = head[n_name : n_name + n_name]
        if version == 4:
            position += sum((byte & 0x7F) << 7 * (3 - i) for i, byte in enumerate(length))
        else:
            position += int.from_bytes(length)
        position += n_head


def _inside(file: BinaryIO) -> Iterator[None]:
    """Yield for each entry of the tags in a container, with the file at its first byte."""
    start = file.tell()
    end = file.seek(0, 2)
    file.seek(start)
    head = file.read(12)
    file.seek(start)
    if head[:4] in (b"RIFF", b"RF64"):
        yield from _chunk_entries(file, start + 12, "<")
    elif head[:4] == b"FORM":
        yield from _chunk_entries(file, start + 12, ">")
    elif head[:4] == b"fLaC":
        yield from _flac_entries(file)
    elif head[:4] == b"OggS":
        yield from _ogg_entries(file)
    elif head[4:8] == b"ftyp":
        yield from _box_entries(file, start, end, depth=0)


def _chunk_entries(file: BinaryIO, position: int, order: str) -> Iterator[None]:
    for kind, inner, length in _chunks(file, position, None, order):
        yield None
        file.seek(inner)
        if kind == b"LIST" and file.read(4) == b"INFO":
            yield from (None for _ in _chunks(file, inner + 4, inner + length, order))
        elif kind in (b"id3 ", b"ID3 ") and (size := _id3_size(file.read(_ID3_HEADER))):
            yield from _id3_entries(file, inner, min(size, length))


def _chunks(
    file: BinaryIO, position: int, end: int | None, order: str
) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, position of the content and size of each chunk."""
    while end is None or position < end:
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            return
        kind, length = struct.unpack(f"{order}4sI", head)
        yield kind, position + 8, length
        position += 8 + length + length % 2


def _flac_entries(file: BinaryIO) -> Iterator[None]:
    position, is_last = file.tell() + 4, False
    while not is_last:
        file.seek(position)
        head = file.read(4)
        if len(head) < 4:
            return
        yield None
        is_last, kind = bool(head[0] & 0x80), head[0] & 0x7F
        if kind == _VORBIS_COMMENT:
            yield from _comments(file.read(_MAX_COMMENT_HEAD))
        position += 4 + int.from_bytes(head[1:])


def _ogg_entries(file: BinaryIO) -> Iterator[None]:
    """Yield for each comment in the second packet of each stream that starts at the beginning."""
    packets: dict[bytes, list[bytearray]] = {}
    for serial, parts in _ogg_packets(file):
        found = packets.setdefault(serial, [bytearray()])
        for data, is_end in parts:
            if len(found) == 2:
                found[1] += data[: _MAX_COMMENT_HEAD - len(found[1])]
            if is_end:
                found.append(bytearray())
        if all(len(known) > 2 or len(known[-1]) >= _MAX_COMMENT_HEAD for known in packets.values()):
            break
    for found in packets.values():
        comment = bytes(found[1]) if len(found) > 1 else b""
        magic = next((magic for magic in _COMMENT_MAGIC if comment.startswith(magic)), None)
        if magic is not None:
            yield from _comments(comment[len(magic) :])
        elif comment and comment[0] & 0x7F == _VORBIS_COMMENT:  # FLAC in Ogg: its metadata block
            yield from _comments(comment[4:])
        else:
            yield from _comments(comment)  # Speex


def _ogg_packets(file: BinaryIO) -> Iterator[tuple[bytes, list[tuple[bytes, bool]]]]:
    """Yield each page's stream, and the parts of packets in it: their bytes, and if they end."""
    for _ in range(MAX_ENTRIES):
        head = file.read(27)
        if len(head) < 27 or head[:4] != b"OggS":
            return
        lacing = file.read(head[26])
        parts: list[tuple[bytes, bool]] = []
        n_bytes = 0
        for value in lacing:
            n_bytes += value
            if value < 255:
                parts.append((file.read(n_bytes), True))
                n_bytes = 0
        parts.append((file.read(n_bytes), False))
        yield head[14:18], parts


def _comments(data: bytes) -> Iterator[None]:
    """Yield as often as a Vorbis comment says that it has entries."""
    if len(data) < 4:
        return
    at = 4 + int.from_bytes(data[:4], "little")
    if at + 4 > _MAX_COMMENT_HEAD:  # no encoder has such a name
        yield from repeat(None, MAX_ENTRIES + 1)
    yield from repeat(None, int.from_bytes(data[at : at + 4], "little"))


def _ape_items(file: BinaryIO) -> Iterator[None]:
    """Yield as often as an APEv2 tag at the end, perhaps before an ID3v1 tag, has items."""
    size = file.seek(0, 2)
    for from_end in (32, 32 + 128):
        file.seek(max(0, size - from_end))
        foot = file.read(32)
        if foot[:8] == b"APETAGEX":
            yield from repeat(None, int.from_bytes(foot[16:20], "little"))


def _box_entries(file: BinaryIO, position: int, end: int, *, depth: int) -> Iterator[None]:
    """Yield for each box in the boxes that hold an MP4's tags."""
    for _ in range(_MAX_BOXES):
        if position + 8 > end:
            return
        file.seek(position)
        head = file.read(16)
        if len(head) < 8:
            return
        size, kind = struct.unpack(">I4s", head[:8])
        n_head = 8
        if size == 1 and len(head) == 16:
            size, n_head = int.from_bytes(head[8:]), 16
        if depth:
            yield None
        if kind in _TAG_BOXES and depth < _MAX_DEPTH:
            # QuickTime's `meta` has boxes at once, MP4's a version before them.
            is_full = kind == b"meta" and head[12:16] != b"hdlr"
            inner = position + n_head + (4 if is_full else 0)
            inner_end = min(position + size, end) if size else end
            yield from _box_entries(file, inner, inner_end, depth=depth + 1)
        if size < n_head:
            return
        position += size
    yield from repeat(None, MAX_ENTRIES + 1)
