"""The tables of the catalogue, for search, sorting, similarity and planning.

Every row can be rebuilt from the records on disk (`core.library.records.store`) and the corrections
beside them (`core.library.corrections.record`), so a table may be dropped without loss.
`core/library/catalogue/migrations` brings a database to this state.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from stemcrate.schemas.search import NUMBERS

PREFIX = "library_"
# Compared byte by byte on every database, so that pages are cut the same way everywhere.
_FOLDED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TRACK = f"{PREFIX}tracks.id"


class Base(DeclarativeBase):
    """Base of the catalogue's tables."""


class TrackRow(Base):
    """A track; ``added_s`` is in Unix seconds.

    Facts are those with corrections, whose fields ``corrected`` lists, joined by commas. Numeric
    facts (`stemcrate.schemas.search.NUMBERS`) are columns, too.

    ``*_folded`` columns are lower case without accents, for search and sorting. ``vocals_s``
    holds (start, end) of sung passages as little-endian float64, ``descriptors`` the vectors of
    ``descriptor_parts`` (names joined by commas), concatenated as little-endian float32.
    """

    __tablename__ = f"{PREFIX}tracks"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    title: Mapped[str] = mapped_column(sa.Text)
    artist: Mapped[str | None] = mapped_column(sa.Text)
    title_folded: Mapped[str] = mapped_column(_FOLDED, index=True)
    artist_folded: Mapped[str | None] = mapped_column(_FOLDED, index=True)
    text_folded: Mapped[str] = mapped_column(sa.Text)
    genre: Mapped[str | None] = mapped_column(sa.Text)
    genre_folded: Mapped[str | None] = mapped_column(_FOLDED, index=True)
    comment: Mapped[str | None] = mapped_column(sa.Text)
    has_cover: Mapped[bool] = mapped_column(sa.Boolean, default=False, server_default=sa.false())
    added_s: Mapped[float] = mapped_column(sa.Double, index=True)
    camelot: Mapped[str | None] = mapped_column(sa.String(3), index=True)
    key_place: Mapped[int | None] = mapped_column(sa.Integer, index=True)
    vocals_s: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    mix_in_start_s: Mapped[float | None] = mapped_column(sa.Double)
    mix_in_end_s: Mapped[float | None] = mapped_column(sa.Double)
    mix_out_start_s: Mapped[float | None] = mapped_column(sa.Double)
    mix_out_end_s: Mapped[float | None] = mapped_column(sa.Double)
    stems: Mapped[str] = mapped_column(sa.Text, default="")
    corrected: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    packet_sha256: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    analysis_version: Mapped[str | None] = mapped_column(sa.String(64))
    descriptor_version: Mapped[str | None] = mapped_column(sa.String(64))
    descriptor_parts: Mapped[str] = mapped_column(sa.Text, default="")
    descriptors: Mapped[bytes | None] = mapped_column(sa.LargeBinary)


for _name, _column in NUMBERS.items():
    setattr(TrackRow, _name, mapped_column(sa.Double, nullable=True, index=bool(_column.sort)))


def fact_column(name: str) -> Any:
    """Return the column of a numeric fact."""
    return getattr(TrackRow, name)


class FileRow(Base):
    """A file that holds a track; ``path`` is absolute and free of symbolic links."""

    __tablename__ = f"{PREFIX}files"

    path: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    track_id: Mapped[str] = mapped_column(
        sa.ForeignKey(_TRACK, ondelete="CASCADE"), index=True, nullable=False
    )
    n_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    modified_ns: Mapped[int] = mapped_column(sa.BigInteger)


class FingerprintRow(Base):
    """The fingerprint of a track, little-endian uint32; in a table used only for duplicates."""

    __tablename__ = f"{PREFIX}fingerprints"

    track_id: Mapped[str] = mapped_column(
        sa.ForeignKey(_TRACK, ondelete="CASCADE"), primary_key=True
    )
    algorithm: Mapped[str] = mapped_column(sa.String(32))
    hashes: Mapped[bytes] = mapped_column(sa.LargeBinary)


class SoundRow(Base):
    """What an enricher found, little-endian float32; ``basis`` as `SimilarityBasis` names it."""

    __tablename__ = f"{PREFIX}sounds"

    track_id: Mapped[str] = mapped_column(
        sa.ForeignKey(_TRACK, ondelete="CASCADE"), primary_key=True
    )
    basis: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    model: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    vector: Mapped[bytes] = mapped_column(sa.LargeBinary)


class RevisionRow(Base):
    """One row that counts changes; data read at an older revision is stale."""

    __tablename__ = f"{PREFIX}revision"

    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(sa.BigInteger)
