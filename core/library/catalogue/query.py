"""Library queries: keys, words, and keyset pages."""

import base64
import json

from core.analysis.harmony.camelot import KEYS, key_to_camelot, parse_key, relation
from core.errors import InvalidOption
from stemcrate.schemas.search import SortKey, TrackFilter, TrackQuery

INSTRUMENTAL_BELOW = 0.05
"""Share of the time with vocals below which a track counts as instrumental."""
CAMELOT_CODES = tuple(key_to_camelot(key) for key in KEYS)

CursorValue = float | str | None
_TEXT_KEYS = (SortKey.TITLE, SortKey.ARTIST, SortKey.GENRE)


def check_filter(query: TrackFilter) -> None:
    """Check which tracks are wanted.

    Raises `InvalidOption` for an invalid key, and for a range that ends before it begins.
    """
    for field in ("key", "mixes_with"):
        text = getattr(query, field)
        if text is not None and parse_key(text) is None:
            raise InvalidOption(
                f"'{text}' is not a musical key.",
                hint="Write it as 8A, 1m, Am or A minor.",
                field=field,
            )
    least = {bound.fact: (name, v) for name, bound, v in query.bounds() if bound.side == "least"}
    for _, bound, most in query.bounds():
        name, value = least.get(bound.fact, ("", most))
        if value > most:
            raise InvalidOption(
                f"{bound.fact} runs from {value:g} to {most:g}.",
                hint="Give the smaller number first.",
                field=name,
            )


def find_camelot_codes(query: TrackFilter) -> tuple[str, ...] | None:
    """Return the Camelot codes that match, None for all."""
    if query.key is None and query.mixes_with is None:
        return None
    codes = CAMELOT_CODES if query.key is None else (_to_camelot(query.key),)
    if query.mixes_with is not None:
        near = neighbourhood(_to_camelot(query.mixes_with))
        codes = tuple(code for code in codes if code in near)
    return codes


def neighbourhood(camelot: str) -> tuple[str, ...]:
    """Return a Camelot code and its neighbours on the wheel.

    >>> neighbourhood("8A")
    ('8A', '7A', '9A', '8B')
    """
    near = ("same", "adjacent", "relative")
    found = [code for code in CAMELOT_CODES if relation(camelot, code) in near]
    return tuple(sorted(found, key=lambda code: near.index(relation(camelot, code))))


def make_cursor(query: TrackQuery, value: CursorValue, track_id: str) -> str:
    """Return the cursor after a page's last track, in its order."""
    place = [query.sort.value, query.descending, value, track_id]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def read_cursor(query: TrackQuery) -> tuple[CursorValue, str] | None:
    """Return the sort value and id of the previous page's last track.

    None for the first page. Raises `InvalidOption` for an invalid cursor, one of another order, and
    one beside an offset.
    """
    if query.cursor is None:
        return None
    if query.offset:
        raise InvalidOption(
            "A page is found by a cursor or by an offset, not by both.",
            hint="Leave out one of them.",
            field="offset",
        )
    try:
        padded = query.cursor + "=" * (-len(query.cursor) % 4)
        sort, descending, value, track_id = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, TypeError):
        raise _no_cursor(query.cursor) from None
    is_value = value is None or isinstance(value, _value_type(query.sort))
    is_ours = (sort, descending) == (query.sort.value, query.descending)
    if not is_ours or not is_value or not isinstance(track_id, str):
        raise _no_cursor(query.cursor)
    return value, track_id


def _value_type(sort: SortKey) -> type | tuple[type, ...]:
    return str if sort in _TEXT_KEYS else (int, float)


def _no_cursor(cursor: str) -> InvalidOption:
    return InvalidOption(
        f"'{cursor[:100]}' is not a cursor of this order.",
        hint="Give next_cursor of the page before with the same sort, or none for the first page.",
        field="cursor",
    )


def _to_camelot(text: str) -> str:
    key = parse_key(text)
    assert key is not None  # checked by `check_filter`
    return key_to_camelot(key)
