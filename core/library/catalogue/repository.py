"""Reads and writes the catalogue; with `core.library.catalogue.conditions` the only SQL on it.

Its interface is plain dataclasses and arrays. Every change increments the revision, so that what
was read into memory stays valid until something changes.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from core.library.catalogue.columns import COLUMNS, TrackColumns, Vectors, make_columns
from core.library.catalogue.conditions import SORT_COLUMNS, after_cursor, wanted_rows
from core.library.catalogue.database import open_engine
from core.library.catalogue.models import (
    FileRow,
    FingerprintRow,
    RevisionRow,
    SoundRow,
    TrackRow,
    fact_column,
)
from core.library.catalogue.query import make_cursor
from core.library.catalogue.rows import TrackRows
from core.library.catalogue.summary import KnownFile, TrackPage, TrackSummary
from core.library.catalogue.vectors import read_descriptors, read_sounds
from core.library.identity.fingerprint import Algorithm, Fingerprint
from core.library.records.record import CollectionRecord
from core.system.database import database_errors
from stemcrate.schemas.enrichment import SimilarityBasis
from stemcrate.schemas.library import LibraryMap, MapCell
from stemcrate.schemas.search import LISTED, TrackFilter, TrackQuery

T = TypeVar("T")
_BATCH = 1000
_MAX_PARAMETERS = 500  # older builds of SQLite take 999 in one statement

_LINES_ALONE = [
    defer(column, raiseload=True)
    for column in (TrackRow.descriptors, TrackRow.vocals_s, TrackRow.text_folded)
]
"""Leaves out what is long and in no line."""


class LibraryRepository:
    """The catalogue in one database. Safe to use from several threads and processes.

    The database is opened on first use. Every method raises `DatabaseUnavailable`.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    # changes

    def put(self, rows: TrackRows) -> None:
        """Add a track, replacing what has its id or its paths."""
        with self._session() as session, session.begin():
            _delete_track(session, rows.track.id)
            paths = [file.path for file in rows.files]
            session.execute(sa.delete(FileRow).where(FileRow.path.in_(paths)))
            _insert(session, [rows])
            _count_up(session)

    def remove(self, track_id: str) -> bool:
        """Remove a track; return whether it existed."""
        with self._session() as session, session.begin():
            is_there = _delete_track(session, track_id)
            if is_there:
                _count_up(session)
            return is_there

    def replace_all(self, tracks: Iterable[TrackRows]) -> None:
        """Replace all tracks in one transaction.

        A path of several tracks goes to the first.
        """
        paths: set[str] = set()
        with self._session() as session, session.begin():
            for table in (SoundRow, FingerprintRow, FileRow, TrackRow):
                session.execute(sa.delete(table))
            rows = iter(tracks)
            while batch := list(islice(rows, _BATCH)):
                for row in batch:
                    row.files[:] = [file for file in row.files if file.path not in paths]
                    paths.update(file.path for file in row.files)
                _insert(session, batch)
            _count_up(session)

    # questions

    def revision(self) -> int:
        """Return the number of changes so far."""
        with self._session() as session:
            return session.scalars(sa.select(RevisionRow.number)).one()

    def count(self, wanted: TrackFilter, of: CollectionRecord | None = None) -> int:
        """Return the number of matching tracks, ``of`` a collection. Raises `InvalidOption`."""
        with self._session() as session:
            return _count(session, wanted_rows(session, wanted, of))

    def map(self, wanted: TrackFilter, of: CollectionRecord | None = None) -> LibraryMap:
        """Count tracks by key and rounded tempo. Raises `InvalidOption`."""
        tempo = sa.func.round(fact_column("tempo_bpm"))
        with self._session() as session:
            statement = (
                sa.select(TrackRow.camelot, tempo, sa.func.count())
                .where(
                    TrackRow.camelot.is_not(None),
                    tempo.is_not(None),
                    *wanted_rows(session, wanted, of),
                )
                .group_by(TrackRow.camelot, tempo)
                .order_by(TrackRow.camelot, tempo)
            )
            return LibraryMap(
                cells=[
                    MapCell(camelot=str(camelot), tempo_bpm=int(bpm), n_tracks=n)
                    for camelot, bpm, n in session.execute(statement)
                ]
            )

    def search(self, query: TrackQuery, of: CollectionRecord | None = None) -> TrackPage:
        """Return a page of matching tracks, ``of`` a collection. Raises `InvalidOption`."""
        column = SORT_COLUMNS[query.sort]
        order = column.desc() if query.descending else column.asc()
        with self._session() as session:
            wanted = wanted_rows(session, query, of)
            statement = (
                sa.select(TrackRow)
                .options(*_LINES_ALONE)
                .where(*wanted, *after_cursor(query, column))
                .order_by(column.is_(None), order, TrackRow.id)
                .offset(query.offset)
                .limit(query.limit + 1)
            )
            rows = list(session.scalars(statement))
            tracks = _summarise(session, rows[: query.limit])
            total = _count(session, wanted) if query.cursor is None else None
            if len(rows) <= query.limit:
                return TrackPage(tracks, None, total)
            last = rows[query.limit - 1]
            cursor = make_cursor(query, getattr(last, column.key), last.id)
            return TrackPage(tracks, cursor, total)

    def get(self, track_ids: Sequence[str]) -> tuple[TrackSummary, ...]:
        """Return tracks in the order of ``ids``; unknown ids are left out."""
        with self._session() as session:
            rows: list[TrackRow] = []
            for part in _batches(list(track_ids)):
                rows += session.scalars(sa.select(TrackRow).where(TrackRow.id.in_(part)))
            summaries = {summary.id: summary for summary in _summarise(session, rows)}
        return tuple(summaries[i] for i in track_ids if i in summaries)

    def ids_beginning_with(self, prefix: str, limit: int) -> list[str]:
        """Return up to ``limit`` ids with a prefix."""
        statement = sa.select(TrackRow.id).where(TrackRow.id.startswith(prefix, autoescape=True))
        with self._session() as session:
            return list(session.scalars(statement.order_by(TrackRow.id).limit(limit)))

    def ids_of_other_analyses(self, version: str) -> list[str]:
        """Return the ids of tracks whose facts another version of the analysis made, in order."""
        made_by = TrackRow.analysis_version
        statement = sa.select(TrackRow.id).where(made_by.is_(None) | (made_by != version))
        with self._session() as session:
            return list(session.scalars(statement.order_by(TrackRow.id)))

    def known_files(self, paths: Sequence[str]) -> dict[str, KnownFile]:
        """Return the known files, by path."""
        known = {}
        with self._session() as session:
            for part in _batches(paths):
                for row in session.scalars(sa.select(FileRow).where(FileRow.path.in_(part))):
                    known[row.path] = KnownFile(row.track_id, row.n_bytes, row.modified_ns)
        return known

    def files(self) -> list[tuple[str, str]]:
        """Return (track id, path) of every file."""
        statement = sa.select(FileRow.track_id, FileRow.path).order_by(FileRow.track_id)
        with self._session() as session:
            return [(track_id, path) for track_id, path in session.execute(statement)]

    def packet_hashes(self) -> list[tuple[str, str]]:
        """Return (packet hash, track id) of tracks that share their hash with another."""
        shared = (
            sa.select(TrackRow.packet_sha256)
            .group_by(TrackRow.packet_sha256)
            .having(sa.func.count() > 1)
        )
        statement = (
            sa.select(TrackRow.packet_sha256, TrackRow.id)
            .where(TrackRow.packet_sha256.in_(shared))
            .order_by(TrackRow.packet_sha256, TrackRow.id)
        )
        with self._session() as session:
            return [(str(packets), track_id) for packets, track_id in session.execute(statement)]

    def fingerprints(self) -> dict[str, Fingerprint]:
        """Return every fingerprint, by track."""
        with self._session() as session:
            return {
                row.track_id: Fingerprint(
                    Algorithm(row.algorithm), np.frombuffer(row.hashes, dtype="<u4")
                )
                for row in session.scalars(sa.select(FingerprintRow))
            }

    def vectors(self, basis: SimilarityBasis, part: str) -> dict[str, Vectors]:
        """Return the vectors of a basis by version or model; ``part`` is for descriptors."""
        with self._session() as session:
            if basis == SimilarityBasis.DESCRIPTORS:
                return read_descriptors(session, part)
            return read_sounds(session, basis)

    def columns(self) -> TrackColumns:
        """Return the planner's columns, tracks in the order of their ids."""
        wanted = [getattr(TrackRow, name) for name in COLUMNS]
        with self._session() as session:
            rows = session.execute(sa.select(*wanted).order_by(TrackRow.id))
            return make_columns([row._asdict() for row in rows])

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with database_errors(), Session(open_engine(self._url)) as session:
            yield session


def _insert(session: Session, tracks: Sequence[TrackRows]) -> None:
    session.add_all(rows.track for rows in tracks)
    session.flush()
    session.add_all(file for rows in tracks for file in rows.files)
    session.add_all(sound for rows in tracks for sound in rows.sounds)
    session.add_all(rows.fingerprint for rows in tracks if rows.fingerprint is not None)
    session.flush()
    session.expunge_all()


def _count(session: Session, wanted: Sequence[sa.ColumnElement[bool]]) -> int:
    return session.scalars(sa.select(sa.func.count()).select_from(TrackRow).where(*wanted)).one()


def _delete_track(session: Session, track_id: str) -> bool:
    for owned in (FileRow, FingerprintRow, SoundRow):
        session.execute(sa.delete(owned).where(owned.track_id == track_id))
    deleted = session.execute(
        sa.delete(TrackRow).where(TrackRow.id == track_id).returning(TrackRow.id)
    )
    return deleted.first() is not None


def _count_up(session: Session) -> None:
    session.execute(sa.update(RevisionRow).values(number=RevisionRow.number + 1))


def _summarise(session: Session, rows: Sequence[TrackRow]) -> tuple[TrackSummary, ...]:
    paths: dict[str, list[str]] = {}
    for part in _batches([row.id for row in rows]):
        statement = sa.select(FileRow.track_id, FileRow.path).where(FileRow.track_id.in_(part))
        for track_id, path in session.execute(statement.order_by(FileRow.path)):
            paths.setdefault(track_id, []).append(path)
    return tuple(
        TrackSummary(
            id=row.id,
            title=row.title,
            artist=row.artist,
            genre=row.genre,
            comment=row.comment,
            cover_url=f"/library/tracks/{row.id}/cover" if row.has_cover else None,
            thumbnail_url=f"/library/tracks/{row.id}/thumbnail" if row.has_cover else None,
            **{name: getattr(row, name) for name in LISTED},
            stems=[*filter(None, row.stems.split(","))],
            corrected=[*filter(None, row.corrected.split(","))],
            added_at=datetime.fromtimestamp(row.added_s, UTC),
            paths=paths.get(row.id, []),
            is_missing=not any(Path(path).is_file() for path in paths.get(row.id, [])),
        )
        for row in rows
    )


def _batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), _MAX_PARAMETERS):
        yield values[start : start + _MAX_PARAMETERS]
