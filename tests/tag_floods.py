"""Recordings with tags of any number of entries, in the containers that can hold them."""

import io
import struct
from collections.abc import Callable

import av
import numpy as np
import soundfile

RATE = 44_100
SILENT_FRAME = b"\xff\xfb\x90\x00" + b"\0" * 413


def id3(n_entries: int, *, version: int = 3) -> bytes:
    """Make an ID3v2 tag of different texts."""
    texts = (b"\0k%06d\0v" % number for number in range(n_entries))
    if version == 2:
        frames = (b"TXX" + len(text).to_bytes(3) + text for text in texts)
    else:
        frames = (b"TXXX" + struct.pack(">IH", len(text), 0) + text for text in texts)
    tag = b"".join(frames)
    size = bytes((len(tag) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + bytes((version, 0, 0)) + size + tag


def silent_mp3(n_entries: int) -> bytes:
    """Make an MP3 after a tag; 200,000 entries (3.9 MB) took libraries 108 s."""
    return id3(n_entries) + SILENT_FRAME * 20


def stacked_mp3(n_entries: int) -> bytes:
    """Make an MP3 after a tag for each entry."""
    return id3(1) * n_entries + SILENT_FRAME * 20


def wav(n_entries: int) -> bytes:
    return _with_chunk("WAV", "<", b"id3 ", id3(n_entries))


def aiff(n_entries: int) -> bytes:
    return _with_chunk("AIFF", ">", b"ID3 ", id3(n_entries))


def wav_info(n_entries: int) -> bytes:
    items = (
        b"%04x" % (number % 0x10000) + struct.pack("<I2s", 2, b"v") for number in range(n_entries)
    )
    return _with_chunk("WAV", "<", b"LIST", b"INFO" + b"".join(items))


def flac(n_entries: int) -> bytes:
    data, comment = _encode("FLAC"), _comment(n_entries)
    return data[:42] + b"\4" + len(comment).to_bytes(3) + comment + data[42:]


def opus(n_entries: int) -> bytes:
    """Make an Ogg Opus whose second packet, the tags, goes over many pages."""
    pages = _pages(_encode("OGG", "OPUS"))
    packet = b"OpusTags" + _comment(n_entries)
    lacing = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    tags = []
    for at in range(0, len(lacing), 255):
        part = lacing[at : at + 255]
        body = packet[at * 255 : at * 255 + sum(part)]
        kind, position = int(at > 0), 0 if part[-1] < 255 else -1
        tags.append(struct.pack("<4sxBq", b"OggS", kind, position) + pages[0][14:18] + b"\0" * 8)
        tags[-1] += bytes([len(part)]) + part + body
    return b"".join(_numbered([pages[0], *tags, *pages[2:]]))


def m4a(n_entries: int) -> bytes:
    items = b"".join(
        _box(
            b"----",
            _box(b"mean", b"\0\0\0\0a")
            + _box(b"name", b"\0\0\0\0k%06d" % number)
            + _box(b"data", b"\0\0\0\1\0\0\0\0v"),
        )
        for number in range(n_entries)
    )
    handler = _box(b"hdlr", b"\0" * 8 + b"mdirappl" + b"\0" * 9)
    tags = _box(b"udta", _box(b"meta", b"\0\0\0\0" + handler + _box(b"ilst", items)))
    data = _compressed("mp4", "aac", "fltp")
    at = data.rindex(b"moov") - 4
    (size,) = struct.unpack(">I", data[at : at + 4])
    assert at + size == len(data)
    return data[:at] + struct.pack(">I", size + len(tags)) + data[at + 4 :] + tags


def matroska(n_entries: int) -> bytes:
    """Make a Matroska file, whose tags FFmpeg alone reads: 100,000 take 90 s."""
    entries = (
        _element(b"\x67\xc8", _element(b"\x45\xa3", b"K%06d" % n) + _element(b"\x44\x87", b"v"))
        for n in range(n_entries)
    )
    tag = _element(b"\x73\x73", _element(b"\x63\xc0", b"") + b"".join(entries))
    data = _compressed("matroska", "pcm_s16le", "s16")
    at = data.index(b"\x18\x53\x80\x67")  # the segment, whose size becomes unknown
    unknown = b"\x01" + b"\xff" * 7
    return data[: at + 4] + unknown + _element(b"\x12\x54\xc3\x67", tag) + data[at + 12 :]


INSIDE: dict[str, Callable[[int], bytes]] = {
    "wav": wav,
    "wav_info": wav_info,
    "aiff": aiff,
    "flac": flac,
    "opus": opus,
    "m4a": m4a,
}
"""Makers of files with tags that cannot be cut off."""
BEFORE: dict[str, Callable[[int], bytes]] = {
    "mp3": silent_mp3,
    "mp3 after ID3v2.2": lambda n: id3(n, version=2) + SILENT_FRAME * 20,
    "flac": lambda n: id3(n) + _encode("FLAC"),
    "wav": lambda n: id3(n) + _encode("WAV"),
}
"""Makers of files with a tag before the sound."""


def _samples() -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    return (np.random.default_rng(7).standard_normal((RATE, 2)) * 0.1).astype(np.float32)


def _encode(container: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    rate = 48_000 if subtype == "OPUS" else RATE
    soundfile.write(file, _samples(), rate, format=container, subtype=subtype)
    return file.getvalue()


def _compressed(container: str, codec: str, sample_format: str) -> bytes:
    file = io.BytesIO()
    resampler = av.AudioResampler(format=sample_format, layout="stereo", rate=RATE)
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=RATE)
        for start in range(0, RATE, 1024):
            block = np.ascontiguousarray(_samples()[start : start + 1024].T)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            frame.sample_rate = RATE
            for converted in resampler.resample(frame):
                output.mux(stream.encode(converted))
        output.mux(stream.encode(None))
    return file.getvalue()


def _with_chunk(container: str, order: str, name: bytes, content: bytes) -> bytes:
    content += b"\0" * (len(content) % 2)
    data = _encode(container) + name + struct.pack(order + "I", len(content)) + content
    return data[:4] + struct.pack(order + "I", len(data) - 8) + data[8:]


def _comment(n_entries: int) -> bytes:
    entries = (struct.pack("<I", 9) + b"K%06d=v" % number for number in range(n_entries))
    return struct.pack("<I4sI", 4, b"test", n_entries) + b"".join(entries)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def _element(name: bytes, content: bytes) -> bytes:
    return name + struct.pack(">Q", len(content) | 1 << 56) + content


def _pages(data: bytes) -> list[bytes]:
    pages = []
    while data:
        n_segments = data[26]
        end = 27 + n_segments + sum(data[27 : 27 + n_segments])
        pages.append(data[:end])
        data = data[end:]
    return pages


def _numbered(pages: list[bytes]) -> list[bytes]:
    """Give Ogg pages their numbers and checksums."""
    numbered = []
    for number, page in enumerate(pages):
        page = page[:18] + struct.pack("<II", number, 0) + page[26:]
        numbered.append(page[:22] + struct.pack("<I", _ogg_crc(page)) + page[26:])
    return numbered


def _ogg_crc(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ (0x104C11DB7 if crc & 0x80000000 else 0)
    return crc
