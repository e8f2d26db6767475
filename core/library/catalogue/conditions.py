"""Which rows of the catalogue a search wants, and their order."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from core.library.catalogue.models import TrackRow, fact_column
from core.library.catalogue.query import (
    INSTRUMENTAL_BELOW,
    check_filter,
    find_camelot_codes,
    read_cursor,
)
from core.library.records.record import CollectionRecord
from core.system.texts import fold
from stemcrate.schemas.doubt import DOUBT_RULES
from stemcrate.schemas.search import NUMBERS, Bound, SortKey, TrackFilter, TrackQuery

SORT_COLUMNS: dict[SortKey, Any] = {
    SortKey.TITLE: TrackRow.title_folded,
    SortKey.ARTIST: TrackRow.artist_folded,
    SortKey.GENRE: TrackRow.genre_folded,
    SortKey.ADDED: TrackRow.added_s,
    SortKey.KEY: TrackRow.key_place,
    **{column.sort: fact_column(name) for name, column in NUMBERS.items() if column.sort},
}
_DOUBTFUL = {
    name: sa.and_(
        value.is_not(None), fact_column(f"{name}_confidence") < DOUBT_RULES.min_confidence
    )
    for name, value in (("tempo", fact_column("tempo_bpm")), ("key", TrackRow.camelot))
}


def wanted_rows(
    session: Session, wanted: TrackFilter, of: CollectionRecord | None
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of a search, ``of`` a collection. Raises `InvalidOption`."""
    check_filter(wanted)
    found = [*_conditions(wanted)]
    if of is None:
        return found
    if of.query is None:
        return [*found, TrackRow.id.in_(_rows_of(session, of.track_ids))]
    check_filter(of.query)
    return [*found, *_conditions(of.query)]


def _rows_of(session: Session, values: Sequence[str]) -> sa.Select[tuple[str]]:
    """Return values as rows: one parameter, however many there are."""
    text = json.dumps(list(values))
    if session.get_bind().dialect.name == "postgresql":
        elements = sa.func.jsonb_array_elements_text(sa.cast(sa.literal(text, sa.Text()), JSONB))
    else:
        elements = sa.func.json_each(text)
    return sa.select(elements.table_valued("value").c.value)


def _conditions(query: TrackFilter) -> Iterator[sa.ColumnElement[bool]]:
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
    if query.doubtful is not None:
        asked = {"tempo", "key"} if query.doubtful == "either" else {query.doubtful}
        yield sa.or_(*(_DOUBTFUL[name] for name in sorted(asked)))


def _ranges(query: TrackFilter) -> Iterator[sa.ColumnElement[bool]]:
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


def after_cursor(query: TrackQuery, column: Any) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the condition that leaves out earlier pages. Raises `InvalidOption`."""
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
