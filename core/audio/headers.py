"""What a file's first bytes promise, checked against the bytes that are there.

libsndfile and FFmpeg both read a cut WAV or AIFF without complaint, as if it had been that short;
a stem job on half a song has to fail instead.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

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
# RIFF is a family; these of its members hold pictures.
_RIFF_FORMS = {b"WAVE", b"AVI "}
_AIFF_FORMS = {b"AIFF", b"AIFC"}
_SLACK_BYTES = 8  # writers differ in whether padding counts


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Sample data promised by a header and present in the file, in bytes."""

    promised_bytes: int
    present_bytes: int

    @property
    def fraction(self) -> float:
        """Share of the samples that is there, 0 to 1."""
        return self.present_bytes / self.promised_bytes


def recognise(path: Path) -> str | None:
    """Name the container that the first bytes announce, None where they announce no audio."""
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
    """Compare the data size in a WAV, RF64 or AIFF header with the file's own size.

    Returns None where all is there, for other containers, and where the header promises nothing
    (0 or the largest size: a recording that was streamed).
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
            promised = _riff_data_size(file, is_rf64=head[:4] == b"RF64")
        elif head[:4] == b"FORM" and head[8:] in _AIFF_FORMS:
            promised = _aiff_data_size(file)
        else:
            return None
        present = size - file.tell()
    if promised is None or present + _SLACK_BYTES >= promised:
        return None
    return Shortfall(promised_bytes=promised, present_bytes=max(present, 0))


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
