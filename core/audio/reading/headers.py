"""Sizes declared by headers, checked against the size of the file.

libsndfile and FFmpeg both read a truncated WAV, AIFF, CAF, Wave64, Matroska or WMA file without an
error; a job on half a song has to fail instead.

References
----------
Matroska: RFC 9559. Ogg: RFC 3533. Apple: Core Audio Format Specification 1.0. Microsoft: Advanced
Systems Format (ASF) Specification 01.20.05. Sony: Wave64.
"""

import itertools
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.audio.reading.tag_bounds import find_start

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"RIFF", "WAV"),
    (0, b"RF64", "WAV"),
    (0, b"FORM", "AIFF"),
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (0, b"ID3", "MP3"),
    (0, b"caff", "CAF"),
    (0, b"wvpk", "WavPack"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska"),
    (4, b"ftyp", "MP4"),
)
# RIFF types that hold pictures.
_RIFF_FORMS = {b"WAVE", b"AVI "}
_AIFF_FORMS = {b"AIFF", b"AIFC"}
_W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
_ASF_HEADER = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"
_ASF_DATA = b"\x36" + _ASF_HEADER[1:]
_EBML = b"\x1a\x45\xdf\xa3"
_MATROSKA_SEGMENT = b"\x18\x53\x80\x67"
_OGG_TAIL = 1 << 17  # bytes; a page has at most 65307
_MP3_HEAD = 4096  # bytes; its first frame has at most 1441
_FAR = 1 << 40  # bytes; limit of a broken size, beyond any file system
_SLACK_BYTES = 8  # bytes; writers differ in whether padding counts


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Sample data declared by a header and present in the file, in bytes."""

    promised_bytes: int
    present_bytes: int

    @property
    def fraction(self) -> float:
        """Share of the samples that is present, 0 to 1."""
        return self.present_bytes / self.promised_bytes


def recognise(path: Path) -> str | None:
    """Return the container by the first bytes; None if it is not audio."""
    with path.open("rb") as file:
        head = file.read(12)
    for offset, magic, name in _SIGNATURES:
        if head[offset:].startswith(magic):
            if magic == b"RIFF" and head[8:12] not in _RIFF_FORMS:
                return None
            if magic == b"FORM" and head[8:12] not in _AIFF_FORMS:
                return None
            return name
    return None


def find_shortfall(path: Path) -> Shortfall | None:
    """Compare the size of the samples in a header with the file's own size.

    Supported are WAV, RF64, AIFF, CAF and Wave64, and of the containers for all codecs Matroska,
    WebM and ASF (WMA).

    Returns None if the samples are complete, for other containers, and if the header declares no
    size (0 or the largest value: a streamed recording).
    """
    start, size = find_start(path), path.stat().st_size
    with path.open("rb") as file:
        file.seek(start)
        promised = _promised_bytes(file)
        present = size - file.tell()
    if promised is None or present + _SLACK_BYTES >= promised:
        return None
    return Shortfall(promised_bytes=promised, present_bytes=max(present, 0))


def says_its_length(path: Path) -> bool:
    """Check whether an MP3 counts its frames (Xing, LAME or VBRI header).

    Otherwise libsndfile estimates the length from the size and the first frame.
    """
    with path.open("rb") as file:
        file.seek(find_start(path))
        head = file.read(_MP3_HEAD)
    return any(word in head for word in (b"Xing", b"Info", b"VBRI"))


def find_links(path: Path) -> list[tuple[int, int]]:
    """Return the links of a chained Ogg file as ranges of bytes, start and end (exclusive).

    Recorded internet radio has one link for each song. Parallel streams (video and sound) are one
    link. Empty for other files.
    """
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return []
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            starts = [*_link_starts(data), len(data)]
    return list(itertools.pairwise(starts))


def _link_starts(data: mmap.mmap) -> Iterator[int]:
    """Yield the offset of each page that begins a stream after one that does not."""
    position, was_beginning = 0, False
    while (position := data.find(b"OggS\0", position)) >= 0 and position + 27 <= len(data):
        is_beginning = bool(data[position + 5] & 2)
        if is_beginning and not was_beginning:
            yield position
        was_beginning = is_beginning
        n_segments = data[position + 26]
        position += 27 + n_segments + sum(data[position + 27 : position + 27 + n_segments])


def lacks_end(path: Path) -> bool:
    """Check whether an Ogg file lacks the end-of-stream mark; False for other files."""
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return False
        file.seek(max(0, path.stat().st_size - _OGG_TAIL))
        tail = file.read()
    page = tail[max(0, tail.rfind(b"OggS\0")) :]
    if len(page) < 27 or not page[5] & 4:
        return True
    lacing = page[27 : 27 + page[26]]
    return len(page) < 27 + page[26] + sum(lacing)


def _promised_bytes(file: BinaryIO) -> int | None:
    """Return the declared size, with the file at the first byte of the data."""
    head = file.read(16)
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        file.seek(-4, 1)
        return _riff_data_size(file, is_rf64=head[:4] == b"RF64")
    if head[:4] == b"FORM" and head[8:12] in _AIFF_FORMS:
        file.seek(-4, 1)
        return _aiff_data_size(file)
    if head[:4] == b"caff":
        file.seek(-8, 1)
        return _caf_data_size(file)
    if head == _W64_RIFF:
        file.seek(24, 1)  # total size, and the GUID of WAVE
        return _w64_data_size(file)
    if head[:4] == _EBML:
        file.seek(-12, 1)
        return _matroska_segment_size(file)
    return _asf_data_size(file) if head == _ASF_HEADER else None


def _riff_data_size(file: BinaryIO, *, is_rf64: bool) -> int | None:
    """Leave the file at the first byte of the samples."""
    ds64_size: int | None = None
    for kind, length in _chunks(file, "<"):
        if kind == b"ds64":
            (ds64_size,) = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))
            file.seek(-16, 1)
        elif kind == b"data":
            if length in (0, 0xFFFF_FFFF, 0x7FFF_FFFF):
                return ds64_size if is_rf64 and length else None
            return length
    return None


def _aiff_data_size(file: BinaryIO) -> int | None:
    """Leave the file at the first byte of the samples."""
    for kind, length in _chunks(file, ">"):
        if kind == b"SSND":
            return length if 8 < length < 0x7FFF_FFFF else None
    return None


def _chunks(file: BinaryIO, order: str) -> Iterator[tuple[bytes, int]]:
    """Yield each chunk's name and size with the file at its content, and skip it afterwards."""
    while len(head := file.read(8)) == 8:
        kind, length = struct.unpack(f"{order}4sI", head)
        start = file.tell()
        yield kind, length
        file.seek(start + length + length % 2)


def _caf_data_size(file: BinaryIO) -> int | None:
    """Leave the file at the content of the data chunk; a size of -1 means "to the end"."""
    while len(head := file.read(12)) == 12:
        kind, length = struct.unpack(">4sq", head)
        if kind == b"data" or length < 0:
            return length if kind == b"data" and length > 0 else None
        file.seek(min(length, _FAR), 1)
    return None


def _w64_data_size(file: BinaryIO) -> int | None:
    """Leave the file at the first byte of the samples. Sizes count the chunk's own 24 bytes."""
    while len(head := file.read(24)) == 24:
        kind, length = struct.unpack("<4s12xQ", head)
        if kind == b"data" or length < 24:
            return length - 24 if kind == b"data" and 24 < length < _FAR else None
        file.seek(min(length - 24 + -length % 8, _FAR), 1)
    return None


def _matroska_segment_size(file: BinaryIO) -> int | None:
    """Leave the file at the content of the segment; a live one has no size."""
    header_size = _ebml_size(file)
    if header_size is None:
        return None
    file.seek(min(header_size, _FAR), 1)
    return _ebml_size(file) if file.read(4) == _MATROSKA_SEGMENT else None


def _ebml_size(file: BinaryIO) -> int | None:
    """Read a variable-length size: the first byte's leading zeros say how many bytes follow."""
    first = file.read(1)
    if first in (b"", b"\0"):
        return None
    n_more = 8 - first[0].bit_length()
    mask = (1 << (7 * (n_more + 1))) - 1
    value = int.from_bytes(first + file.read(n_more)) & mask
    return None if value == mask else value


def _asf_data_size(file: BinaryIO) -> int | None:
    """Leave the file at the data object."""
    (header_size,) = struct.unpack("<Q", file.read(8).ljust(8, b"\0"))
    file.seek(min(max(header_size, 24), _FAR) - 24, 1)
    head = file.read(24)
    file.seek(-len(head), 1)
    if len(head) < 24 or head[:16] != _ASF_DATA:
        return None
    (length,) = struct.unpack("<16xQ", head)
    return int(length) or None
