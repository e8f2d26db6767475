"""Reads the vectors by which similar tracks are found: descriptors, embeddings, scores of tags."""

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.library.catalogue.columns import Vectors
from core.library.catalogue.models import SoundRow, TrackRow
from stemcrate.schemas.enrichment import SimilarityBasis

_Found = dict[str, tuple[list[str], list[bytes]]]


def read_descriptors(session: Session, part: str) -> dict[str, Vectors]:
    """Return the descriptors of the mixture or of a stem, by version."""
    statement = sa.select(
        TrackRow.id,
        TrackRow.descriptor_version,
        TrackRow.descriptor_parts,
        TrackRow.descriptors,
    )
    found: _Found = {}
    for track_id, version, parts, data in session.execute(statement.order_by(TrackRow.id)):
        names = parts.split(",")
        if version is not None and data is not None and part in names:
            size = len(data) // len(names)
            start = names.index(part) * size
            _add(found, version, track_id, data[start : start + size])
    return _stack(found)


def read_sounds(session: Session, basis: SimilarityBasis) -> dict[str, Vectors]:
    """Return what enrichers found, by model."""
    statement = sa.select(SoundRow.model, SoundRow.track_id, SoundRow.vector)
    found: _Found = {}
    rows = session.execute(statement.where(SoundRow.basis == basis).order_by(SoundRow.track_id))
    for model, track_id, data in rows:
        _add(found, model, track_id, data)
    return _stack(found)


def _add(found: _Found, version: str, track_id: str, data: bytes) -> None:
    ids, vectors = found.setdefault(version, ([], []))
    ids.append(track_id)
    vectors.append(data)


def _stack(found: _Found) -> dict[str, Vectors]:
    return {
        version: Vectors(
            tuple(ids), np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(ids), -1)
        )
        for version, (ids, vectors) in found.items()
    }
