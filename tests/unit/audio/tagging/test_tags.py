"""Tags go into all six formats and come back, and leave the audio alone."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import soundfile
from mutagen.id3 import ID3

from core.audio.reading.decode import DecodedAudio
from core.audio.tagging.tag_writer import write_tags
from core.audio.tagging.tags import Cover, Tags, clean_text, read_tags
from core.audio.writing.encode import FORMATS, Encoder, is_pcm
from core.errors import InvalidAudio, UnsupportedFormat

RATE = 44_100


def one_pixel_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    image = zlib.compress(b"\0\0")
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", image) + chunk(b"IEND", b"")


FULL = Tags(
    title="Über 日本語 😀",
    artist="Åse & Øyvind",
    album="Ä",
    album_artist="Various",
    composer="C",
    genre="House",
    year="2021",
    track_number=7,
    comment="made of 4 stems",
    isrc="USABC1234567",
    bpm=127.95,
    key="F#m",
    cover=Cover(one_pixel_png(), "image/png"),
)


@pytest.fixture
def encoded(tmp_path: Path, noise: Callable[..., np.ndarray]) -> Callable[..., Any]:
    def make(name: str) -> Path:
        path = tmp_path / f"delivered-{name}"
        samples = noise(12_000)
        with Encoder(path, format=name, bit_depth="24", sample_rate=RATE, n_channels=2) as encoder:
            if is_pcm(name, "24"):
                encoder.write_codes(np.rint(samples * 2**23).astype(np.int32))
            else:
                encoder.write(samples)
        return path

    return make


@pytest.mark.parametrize("name", FORMATS)
def test_tags_come_back_and_the_audio_is_untouched(
    encoded: Any, decoded: Callable[..., tuple[DecodedAudio, np.ndarray]], name: Any
) -> None:
    path = encoded(name)
    before = decoded(path)[1]
    write_tags(path, FULL, format=name, extra={"STEM": "vocals"})
    np.testing.assert_array_equal(decoded(path)[1], before)
    assert read_tags(path) == FULL
    assert b"vocals" in path.read_bytes().replace(b"\0", b"")


@pytest.mark.parametrize("name", FORMATS)
def test_writing_twice_replaces(encoded: Any, name: Any) -> None:
    path = encoded(name)
    write_tags(path, FULL, format=name)
    write_tags(path, replace(FULL, title="Second", bpm=90.0), format=name, comment="new")
    assert read_tags(path) == replace(FULL, title="Second", bpm=90.0, comment="new")


@pytest.mark.parametrize("name", FORMATS)
def test_no_tags_write_none(encoded: Any, name: Any) -> None:
    path = encoded(name)
    write_tags(path, Tags(), format=name)
    assert read_tags(path) == Tags()


def test_id3_is_version_2_3_with_decimal_tempo(encoded: Any) -> None:
    """Version 2.4 isn't read by all DJ software."""
    path = encoded("mp3")
    write_tags(path, FULL, format="mp3")
    frames = ID3(path, translate=False)
    assert frames.version == (2, 3, 0)
    assert frames["TBPM"].text == ["127.95"]
    assert frames["TKEY"].text == ["F#m"]
    assert frames["TYER"].text == ["2021"]


def test_mp4_has_the_whole_tempo_and_the_exact_one(encoded: Any) -> None:
    path = encoded("m4a")
    write_tags(path, FULL, format="m4a")
    atoms = mutagen.File(path).tags
    assert atoms["tmpo"] == [128]
    assert bytes(atoms["----:com.apple.iTunes:BPM"][0]) == b"127.95"
    assert bytes(atoms["----:com.apple.iTunes:initialkey"][0]) == b"F#m"


def test_a_file_of_another_format_is_refused(tmp_path: Path, encoded: Any) -> None:
    with pytest.raises(InvalidAudio):
        write_tags(encoded("wav"), FULL, format="flac")
    with pytest.raises(UnsupportedFormat):
        write_tags(encoded("wav"), FULL, format="wma")
    rf64 = tmp_path / "long"
    soundfile.write(rf64, np.zeros(10), RATE, format="RF64")
    with pytest.raises(UnsupportedFormat, match="4 GiB"):
        write_tags(rf64, FULL, format="wav")


@pytest.mark.parametrize("name", FORMATS)
def test_broken_tags_never_raise(encoded: Any, name: Any) -> None:
    """Tags come from strangers: whatever byte is wrong, the recording still is one."""
    path = encoded(name)
    write_tags(path, FULL, format=name)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(content)
        for position in rng.integers(0, len(content), 40):
            broken[position] = rng.integers(0, 256)
        for position in rng.integers(0, min(400, len(content)), 4):
            broken[position] = 0xFF
        path.write_bytes(broken[: rng.integers(1, len(broken))])
        assert isinstance(read_tags(path), Tags)


@pytest.mark.parametrize("content", [b"", b"ID3", b"text", b"\xff\xfb", b"OggS" + bytes(100)])
def test_files_without_tags_have_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "upload").write_bytes(content)
    assert read_tags(tmp_path / "upload") == Tags()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a\n b\t", "a b"),
        ("a\x00\x1b[31mb\x7f", "a[31mb"),
        ("e\u0301", "é"),
        ("\ud800x", "x"),
        ("abc\u202egpm", "abcgpm"),
        ("👩\u200d🎤", "👩\u200d🎤"),
        ("x" * 600, "x" * 500),
        ("\x00", None),
        (None, None),
        (2021, "2021"),
    ],
)
def test_texts_are_fit_for_screens_and_xml(text: str | int | None, expected: str | None) -> None:
    assert clean_text(text) == expected


@pytest.mark.parametrize(
    ("written", "bpm"), [("0", None), ("abc", None), ("inf", None), ("127,5", 127.5), ("nan", None)]
)
def test_tempos_that_are_none(encoded: Any, written: str, bpm: float | None) -> None:
    path = encoded("flac")
    file = mutagen.File(path)
    file.tags["BPM"] = written
    file.save()
    assert read_tags(path).bpm == bpm
