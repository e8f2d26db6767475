"""A library of many tracks without audio, written by the library's own code.

Of each thousand tracks the first two have the same encoded audio.
"""

import io
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image

from core.audio.tagging.tags import Cover
from core.library.library import Library
from core.library.records.record import CoverReference, LibraryRecord
from core.library.records.store import RecordStore
from stemcrate.schemas.tags import TextTags
from tests.library_records import make_record

N_COVERS = 12
N_FEATURES = 8
WORDS = (
    "Vesper",
    "Ondine",
    "Lumen",
    "Orbit",
    "Mirage",
    "Umbra",
    "Halo",
    "Ember",
    "Drift",
    "Signal",
)
MORE = (
    "Skyline",
    "Afterglow",
    "Drive",
    "Monsoon",
    "Lattice",
    "Fathom",
    "Static",
    "Harbour",
    "Motion",
)
GROUPS = ("Unit", "Sound", "Collective", "Works")
TEMPI = {"House": (118, 128), "Techno": (126, 142), "Drum & Bass": (170, 178), "Hip-Hop": (82, 104)}
"""Lowest and highest tempo by genre."""
COLOURS = ("#7950f2", "#12805c", "#e0523f", "#1b8cb5", "#e8a400", "#d6336c")


def fill_library(data_dir: Path, database_url: str, n_tracks: int, *, seed: int = 1) -> Library:
    """Write ``n_tracks`` records and build the catalogue from them."""
    library = Library(data_dir, database_url)
    covers = [library.keep_cover(cover) for cover in _covers()]
    records = RecordStore(data_dir)
    for record in _records(n_tracks, covers, random.Random(seed)):
        records.write_track(record)
    library.rebuild()
    return library


def _records(
    n_tracks: int, covers: list[CoverReference], chance: random.Random
) -> Iterator[LibraryRecord]:
    for n in range(n_tracks):
        genre = chance.choice([*TEMPI])
        low, high = TEMPI[genre]
        is_known = chance.random() > 0.03
        record = make_record(
            n,
            title=f"{chance.choice(WORDS)} {chance.choice(MORE)} {n:05}",
            artist=f"{chance.choice(MORE)} {chance.choice(GROUPS)}",
            vectors={"mixture": [chance.gauss(0, 1) for _ in range(N_FEATURES)]},
            tempo_bpm=round(chance.uniform(low, high), 2) if is_known else None,
            tempo_confidence=round(chance.uniform(0.2, 1), 2),
            camelot=f"{chance.randint(1, 12)}{chance.choice('AB')}" if is_known else None,
            key_confidence=round(chance.uniform(0.2, 1), 2),
            energy=chance.randint(1, 10),
            integrated_loudness_lufs=round(chance.uniform(-16, -6), 1),
            vocal_ratio=chance.choice((0.0, 0.4)),
            duration_s=chance.uniform(120, 480),
        )
        comments = ("", "", "", "opener", "test pressing, side B", "only after midnight")
        if n % 1000 < 2:
            record.packet_sha256 = f"{n // 1000:064}"
        record.tags = TextTags(genre=genre, comment=chance.choice(comments) or None)
        record.cover = chance.choice(covers) if n % 4 else None
        record.added_at = datetime(2026, 11, 1, tzinfo=UTC) - timedelta(hours=n)
        yield record


def _covers() -> Iterator[Cover]:
    for n in range(N_COVERS):
        file = io.BytesIO()
        image = Image.new("RGB", (300, 300), COLOURS[n % len(COLOURS)])
        image.paste(COLOURS[(n + 1 + n // len(COLOURS)) % len(COLOURS)], (60, 60, 240, 240))
        image.save(file, "PNG")
        yield Cover(file.getvalue(), "image/png")
