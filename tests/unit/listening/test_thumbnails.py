"""Small pictures of covers: of good ones, and of those that would do harm."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from core.listening.thumbnails import draw_thumbnail, make_thumbnail


def opened(data: bytes | None) -> Image.Image:
    assert data is not None
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "WEBP"
    return picture.convert("RGB")


def png_header(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG of this size by its header, with few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_cover_becomes_small_and_keeps_its_shape(tmp_path: Path, form: str) -> None:
    path = tmp_path / "cover"
    Image.new("RGB", (1400, 700), (200, 40, 90)).save(path, form)
    picture = opened(draw_thumbnail(path))
    assert picture.size == (256, 128)
    red, green, blue = picture.split()
    for band, value in ((red, 200), (green, 40), (blue, 90)):
        low, high = band.getextrema()
        assert low >= value - 12
        assert high <= value + 12


def test_a_small_cover_is_not_enlarged_and_transparency_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "cover"
    Image.new("RGBA", (20, 10), (0, 0, 0, 0)).save(path, "PNG")
    assert opened(draw_thumbnail(path)).size == (20, 10)


def test_a_cover_is_upright_and_says_nothing_of_where_it_was_taken(tmp_path: Path) -> None:
    path = tmp_path / "cover"
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "Camera of the photographer"
    Image.new("RGB", (400, 200)).save(path, "JPEG", exif=exif)
    data = draw_thumbnail(path)
    assert opened(data).size == (128, 256)
    assert data is not None
    assert b"Camera" not in data


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\npixels",
        b"\xff\xd8\xff",
        b"",
        b"GIF89a" + bytes(50),
        png_header(60_000, 60_000),
        png_header(7_000, 7_000),
        png_header(100, 100, b"\x00"),
    ],
    ids=["png", "jpeg", "empty", "other", "bomb", "too many pixels", "cut short"],
)
def test_what_cannot_be_shown_has_an_empty_file(tmp_path: Path, data: bytes) -> None:
    """A picture of 60,000 x 60,000 pixels has a few hundred bytes, and takes 10 GB to decode."""
    path = tmp_path / "cover"
    path.write_bytes(data)
    make_thumbnail(path, tmp_path / "cover.webp")
    assert (tmp_path / "cover.webp").read_bytes() == b""
