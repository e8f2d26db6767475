"""Small pictures of covers. Runs in the listener's processes: a cover is a file of a stranger."""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from core.system.atomic import write_atomically

_FORMATS = ("JPEG", "PNG")
# Errors of Pillow on malformed pictures; it documents only its own.
_BROKEN = (
    *(UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning),
    *(OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ArithmeticError),
)


@dataclass(frozen=True, slots=True)
class ThumbnailRules:
    """Limits of covers and of what is made of them.

    Parameters
    ----------
    edge : longest edge of a thumbnail in pixels: a cover on the page of a track, twice as dense.
    max_pixels : of a cover; one with more is not read.
    quality : of WebP, 0 to 100.
    """

    edge: int = 256
    max_pixels: int = 40_000_000
    quality: int = 80


RULES = ThumbnailRules()


def make_thumbnail(cover: Path, destination: Path) -> None:
    """Write a cover as a small WebP; an empty file if it can't be read, or has too many pixels."""
    write_atomically(destination, draw_thumbnail(cover) or b"")


def draw_thumbnail(cover: Path) -> bytes | None:
    """Return a cover as WebP, at most ``edge`` pixels wide and high, or None.

    A cover is upright as its Exif orientation says; nothing else of its metadata is kept.
    """
    file = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(cover, formats=_FORMATS) as picture:
                if picture.width * picture.height > RULES.max_pixels:
                    return None
                picture.draft("RGB", (2 * RULES.edge, 2 * RULES.edge))
                upright = ImageOps.exif_transpose(picture).convert("RGB")
        upright.thumbnail((RULES.edge, RULES.edge))
        Image.frombytes("RGB", upright.size, upright.tobytes()).save(
            file, "WEBP", quality=RULES.quality
        )
    except _BROKEN:
        return None
    return file.getvalue()
