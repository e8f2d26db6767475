"""What the library can be asked: filters, an order, and pages, each going on after the last."""

import base64
import json
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from core.analysis.harmony.camelot import KEYS, key_to_camelot, parse_key, relation
from core.errors import InvalidOption

INSTRUMENTAL_BELOW = 0.05
"""Share of the time with vocals below which a track counts as instrumental."""
MAX_LIMIT = 500
CAMELOT_CODES = tuple(key_to_camelot(key) for key in KEYS)

VocalFilter = Literal["with", "without"]
CursorValue = float | str | None


class SortKey(StrEnum):
    """What tracks can be sorted by."""

    TITLE = "title"
    ARTIST = "artist"
    ADDED = "added"
    DURATION = "duration"
    TEMPO = "tempo"
    KEY = "key"
    ENERGY = "energy"
    LOUDNESS = "loudness"


@dataclass(frozen=True, slots=True)
class Range:
    """Values from ``least`` to ``most``, both included; None leaves a side open."""

    least: float | None = None
    most: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it lets everything through, also what is not known."""
        return self.least is None and self.most is None


@dataclass(frozen=True, slots=True)
class TrackQuery:
    """A search.

    Parameters
    ----------
    text : words that all have to stand somewhere in title, artist, album, genre, comment, year or
        file name; capitals and accents do not matter.
    key : a key in any spelling; only tracks in it.
    mixes_with : a key in any spelling; only tracks in it or beside it on the Camelot wheel.
    tempo_bpm : half and double time count, too: 87 is found by 170 to 180.
    energy, loudness_lufs, duration_s : a track whose value is not known lies in no range.
    vocals : None for all; a track of which it is not known is neither ``with`` nor ``without``.
    sort, is_descending : what is not known comes last either way.
    limit : most tracks of a page, 1 to `MAX_LIMIT`.
    cursor : from the page before.

    Raises
    ------
    InvalidOption : a key that is none, a range that ends before it begins, a limit out of range.
    """

    text: str = ""
    key: str | None = None
    mixes_with: str | None = None
    tempo_bpm: Range = Range()
    energy: Range = Range()
    loudness_lufs: Range = Range()
    duration_s: Range = Range()
    vocals: VocalFilter | None = None
    sort: SortKey = SortKey.TITLE
    is_descending: bool = False
    limit: int = 50
    cursor: str | None = None

    def __post_init__(self) -> None:
        for field in ("key", "mixes_with"):
            self._check_key(field)
        for field in ("tempo_bpm", "energy", "loudness_lufs", "duration_s"):
            _check_range(field, getattr(self, field))
        if not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidOption(
                f"limit is {self.limit}.", hint=f"Give 1 to {MAX_LIMIT}.", field="limit"
            )

    @property
    def words(self) -> list[str]:
        """The words of the text, folded."""
        return fold(self.text).split()

    @property
    def camelot_codes(self) -> tuple[str, ...] | None:
        """The Camelot codes that a track may have, None for all."""
        codes = CAMELOT_CODES
        if self.key is None and self.mixes_with is None:
            return None
        if self.key is not None:
            codes = (_to_camelot(self.key),)
        if self.mixes_with is not None:
            near = neighbourhood(_to_camelot(self.mixes_with))
            codes = tuple(code for code in codes if code in near)
        return codes

    def _check_key(self, field: str) -> None:
        text = getattr(self, field)
        if text is not None and parse_key(text) is None:
            raise InvalidOption(
                f"'{text}' is no key.", hint="Write it as 8A, 1m, Am or A minor.", field=field
            )


def neighbourhood(camelot: str) -> tuple[str, ...]:
    """Give the Camelot codes beside one on the wheel, itself first.

    >>> neighbourhood("8A")
    ('8A', '7A', '9A', '8B')
    """
    near = ("same", "adjacent", "relative")
    found = [code for code in CAMELOT_CODES if relation(camelot, code) in near]
    return tuple(sorted(found, key=lambda code: near.index(relation(camelot, code))))


def fold(text: str) -> str:
    """Take capitals and accents out of a text, for search and sorting.

    >>> fold("Träume  DÉJÀ vu")
    'traume deja vu'
    """
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())


def make_cursor(query: TrackQuery, value: CursorValue, track_id: str) -> str:
    """Name the last track of a page, with the order in which it was the last."""
    place = [query.sort.value, query.is_descending, value, track_id]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def read_cursor(query: TrackQuery) -> tuple[CursorValue, str] | None:
    """Give the sort value and id of the last track of the page before.

    None for the first page. Raises `InvalidOption` for what is no cursor of this order.
    """
    if query.cursor is None:
        return None
    try:
        padded = query.cursor + "=" * (-len(query.cursor) % 4)
        sort, is_descending, value, track_id = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, TypeError):
        raise _no_cursor(query.cursor) from None
    is_value = value is None or isinstance(value, _value_type(query.sort))
    is_ours = (sort, is_descending) == (query.sort.value, query.is_descending)
    if not is_ours or not is_value or not isinstance(track_id, str):
        raise _no_cursor(query.cursor)
    return value, track_id


def _value_type(sort: SortKey) -> type | tuple[type, ...]:
    return str if sort in (SortKey.TITLE, SortKey.ARTIST) else (int, float)


def _no_cursor(cursor: str) -> InvalidOption:
    return InvalidOption(
        f"'{cursor[:100]}' is not a cursor of this order.",
        hint="Give next_cursor of the page before with the same sort, or none for the first page.",
        field="cursor",
    )


def _to_camelot(text: str) -> str:
    key = parse_key(text)
    assert key is not None  # checked when the query was made
    return key_to_camelot(key)


def _check_range(field: str, allowed: Range) -> None:
    least, most = allowed.least, allowed.most
    if (least is not None and least != least) or (most is not None and most != most):
        raise InvalidOption(f"{field} is no number.", hint="Give two numbers.", field=field)
    if least is not None and most is not None and least > most:
        raise InvalidOption(
            f"{field} runs from {least:g} to {most:g}.",
            hint="Give the smaller number first.",
            field=field,
        )
