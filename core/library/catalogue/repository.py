"""The only module of the catalogue with SQL.

Its interface is plain dataclasses and arrays. Every change increments the revision, so that what
was read into memory stays valid until something changes.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.library.catalogue.columns import COLUMNS, TrackColumns, Vectors, make_columns
from core.library.catalogue.database import open_engine
from core.library.catalogue.models import (
    FileRow,
    FingerprintRow,
    RevisionRow,
    TrackRow,
    fact_column,
)
from core.library.catalogue.query import (
    INSTRUMENTAL_BELOW,
    check_query,
    find_camelot_codes,
    fold,
    make_cursor,
    read_cursor,
)
from core.library.catalogue.rows import TrackRows
from core.library.catalogue.summary import KnownFile, TrackPage, TrackSummary
from core.library.identity.fingerprint import Algorithm, Fingerprint
from core.system.database import database_errors
from stemcrate.schemas.search import LISTED, NUMBERS, Bound, SortKey, TrackQuery

T = TypeVar("T")
_BATCH = 1000
_MAX_PARAMETERS = 500  # older builds of SQLite take 999 in one statement

_SORT_COLUMNS: dict[SortKey, Any] = {
    SortKey.TITLE: TrackRow.title_folded,
    SortKey.ARTIST: TrackRow.artist_folded,
    SortKey.ADDED: TrackRow.added_s,
    SortKey.KEY: TrackRow.key_place,
    **{column.sort: fact_column(name) for name, column in NUMBERS.items() if column.sort},
}


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
            for table in (FingerprintRow, FileRow, TrackRow):
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

    def count(self) -> int:
        """Return the number of tracks."""
        with self._session() as session:
            return session.scalars(sa.select(sa.func.count()).select_from(TrackRow)).one()

    def search(self, query: TrackQuery) -> TrackPage:
        """Return a page of matching tracks. Raises `InvalidOption`."""
        check_query(query)
        column = _SORT_COLUMNS[query.sort]
        order = column.desc() if query.descending else column.asc()
        statement = (
            sa.select(TrackRow)
            .where(*_conditions(query), *_after_cursor(query, column))
            .order_by(column.is_(None), order, TrackRow.id)
            .limit(query.limit + 1)
        )
        with self._session() as session:
            rows = list(session.scalars(statement))
            tracks = _summarise(session, rows[: query.limit])
        if len(rows) <= query.limit:
            return TrackPage(tracks, None)
        last = rows[query.limit - 1]
        return TrackPage(tracks, make_cursor(query, getattr(last, column.key), last.id))

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

    def vectors(self, part: str) -> dict[str, Vectors]:
        """Return the descriptor vectors of the mixture or of a stem, by version."""
        statement = sa.select(
            TrackRow.id,
            TrackRow.descriptor_version,
            TrackRow.descriptor_parts,
            TrackRow.descriptors,
        )
        found: dict[str, tuple[list[str], list[bytes]]] = {}
        with self._session() as session:
            for track_id, version, parts, data in session.execute(statement.order_by(TrackRow.id)):
                names = parts.split(",")
                if version is not None and data is not None and part in names:
                    size = len(data) // len(names)
                    start = names.index(part) * size
                    ids, vectors = found.setdefault(version, ([], []))
                    ids.append(track_id)
                    vectors.append(data[start : start + size])
        return {
            version: Vectors(
                tuple(ids),
                np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(ids), -1),
            )
            for version, (ids, vectors) in found.items()
        }

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
    session.add_all(rows.fingerprint for rows in tracks if rows.fingerprint is not None)
    session.flush()
    session.expunge_all()


def _delete_track(session: Session, track_id: str) -> bool:
    for owned in (FileRow, FingerprintRow):
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
            **{name: getattr(row, name) for name in LISTED},
            stems=[*filter(None, row.stems.split(","))],
            added_at=datetime.fromtimestamp(row.added_s, UTC),
            paths=paths.get(row.id, []),
            is_missing=not any(Path(path).is_file() for path in paths.get(row.id, [])),
        )
        for row in rows
    )


def _conditions(query: TrackQuery) -> Iterator[sa.ColumnElement[bool]]:
    for word in fold(query.text).split():
        yield TrackRow.text_folded.contains(word, autoescape=True)
    codes = find_camelot_codes(query)
    if codes is not None:
        yield TrackRow.camelot.in_(codes)
    yield from _ranges(query)
    if query.vocals == "with":
        yield fact_column("vocal_ratio") >= INSTRUMENTAL_BELOW
    elif query.vocals == "without":
        yield fact_column("vocal_ratio") < INSTRUMENTAL_BELOW


def _ranges(query: TrackQuery) -> Iterator[sa.ColumnElement[bool]]:
    asked: dict[str, list[tuple[Bound, float]]] = {}
    for _, bound, value in query.bounds():
        asked.setdefault(bound.fact, []).append((bound, value))
    for fact, bounds in asked.items():
        column = fact_column(fact)
        octaves = [column * 2.0, column * 0.5] if NUMBERS[fact].counts_octaves else []
        yield sa.or_(*(sa.and_(*_within(octave, bounds)) for octave in [column, *octaves]))


def _within(value: Any, bounds: Sequence[tuple[Bound, float]]) -> Iterator[Any]:
    for bound, limit in bounds:
        yield value >= limit if bound.side == "least" else value <= limit


def _after_cursor(query: TrackQuery, column: Any) -> Iterator[sa.ColumnElement[bool]]:
    last = read_cursor(query)
    if last is None:
        return
    value, track_id = last
    if value is None:
        yield sa.and_(column.is_(None), TrackRow.id > track_id)
        return
    beyond = column < value if query.descending else column > value
    same = sa.and_(column == value, TrackRow.id > track_id)
    yield sa.or_(beyond, same, column.is_(None))


def _batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), _MAX_PARAMETERS):
        yield values[start : start + _MAX_PARAMETERS]
