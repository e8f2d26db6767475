"""Converts a record to its rows in the database."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import PurePath

import numpy as np

from core.analysis.harmony.camelot import camelot_to_key
from core.library.catalogue.models import FileRow, FingerprintRow, SoundRow, TrackRow
from core.library.records.enrichment import EnrichmentRecord
from core.library.records.record import LibraryRecord
from core.system.texts import fold
from stemcrate.schemas.facts import MIXTURE, Interval
from stemcrate.schemas.search import NUMBERS

_SEARCHED_TAGS = ("album", "album_artist", "genre", "comment", "year", "composer")


@dataclass(frozen=True, slots=True)
class TrackRows:
    """All rows of one track."""

    track: TrackRow
    files: list[FileRow]
    fingerprint: FingerprintRow | None
    sounds: list[SoundRow]


def make_rows(
    record: LibraryRecord,
    corrected: Sequence[str] = (),
    enrichment: EnrichmentRecord | None = None,
) -> TrackRows:
    """Convert a record to rows. Invalid facts (a tempo of 0) are left out.

    Parameters
    ----------
    record : with its corrections.
    corrected : names of the corrected fields.
    enrichment : what enrichers found; None: nothing.
    """
    prints = record.fingerprint
    found = enrichment or EnrichmentRecord(track_id=record.id)
    return TrackRows(
        track=_make_track_row(record, corrected, found.searched_tags()),
        files=[
            FileRow(
                path=file.path,
                track_id=record.id,
                n_bytes=file.bytes,
                modified_ns=file.modified_ns,
            )
            for file in record.files
        ],
        fingerprint=None
        if prints is None
        else FingerprintRow(
            track_id=record.id, algorithm=prints.algorithm.value, hashes=prints.data()
        ),
        sounds=[
            SoundRow(track_id=record.id, basis=basis, model=outcome.model, vector=vector)
            for outcome in found.outcomes.values()
            for basis, vector in outcome.vectors().items()
        ],
    )


def _make_track_row(
    record: LibraryRecord, corrected: Sequence[str], found_tags: Sequence[str]
) -> TrackRow:
    facts = record.facts.model_copy(update={"duration_s": record.duration_s})
    mix_in, mix_out = _window(facts.mix_in_s), _window(facts.mix_out_s)
    texts = [record.title, record.artist, record.name]
    texts += [getattr(record.tags, name) for name in _SEARCHED_TAGS]
    texts += [PurePath(file.path).stem for file in record.files]
    texts += found_tags
    vectors = record.descriptors.vectors if record.descriptors else {}
    parts = sorted(vectors, key=lambda part: (part != MIXTURE, part))
    camelot = _camelot(facts.camelot)
    return TrackRow(
        id=record.id,
        title=record.title,
        artist=record.artist,
        title_folded=fold(record.title),
        artist_folded=fold(record.artist) if record.artist else None,
        text_folded=fold(" ".join(str(text) for text in texts if text)),
        genre=record.tags.genre,
        genre_folded=fold(record.tags.genre) if record.tags.genre else None,
        comment=record.tags.comment,
        has_cover=record.cover is not None,
        added_s=record.added_at.timestamp(),
        **{
            name: _number(getattr(facts, name), is_positive=column.is_positive)
            for name, column in NUMBERS.items()
        },
        camelot=camelot,
        key_place=key_place(camelot) if camelot else None,
        vocals_s=_pack_intervals(facts.vocals_s),
        mix_in_start_s=mix_in[0],
        mix_in_end_s=mix_in[1],
        mix_out_start_s=mix_out[0],
        mix_out_end_s=mix_out[1],
        stems=",".join(record.jobs[-1].stems) if record.jobs else "",
        corrected=",".join(corrected),
        packet_sha256=record.packet_sha256,
        analysis_version=record.analysis_version,
        descriptor_version=record.descriptors.version if record.descriptors else None,
        descriptor_parts=",".join(parts),
        descriptors=b"".join(base64.b64decode(vectors[part]) for part in parts) or None,
    )


def key_place(camelot: str) -> int:
    """Return the index of a Camelot code on the wheel: 1A, 1B, 2A … 12B are 0 to 23."""
    return 2 * (int(camelot[:-1]) - 1) + (camelot[-1] == "B")


def _number(value: float | None, *, is_positive: bool = False) -> float | None:
    if value is None or not isfinite(value) or (is_positive and value <= 0):
        return None
    return float(value)


def _camelot(code: str | None) -> str | None:
    if code is None:
        return None
    try:
        camelot_to_key(code)
    except ValueError:
        return None
    return code


def _window(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (_number(interval[0]), _number(interval[1]))


def _pack_intervals(intervals: Sequence[Interval] | None) -> bytes | None:
    if intervals is None:
        return None
    return np.array(intervals, dtype="<f8").reshape(-1, 2).tobytes()
