"""The facts that tracks are searched, sorted, listed and planned by.

Each is declared here once. The columns of the catalogue, the parameters of `GET /library/tracks`,
the options of ``stemcrate library search``, the keys to sort by, the lines of tracks and the
numbers that the planner reads follow.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, Field

MAX_LIMIT = 500
MAX_OFFSET = 10_000_000


class SortKey(StrEnum):
    """What tracks can be sorted by."""

    TITLE = "title"
    ARTIST = "artist"
    GENRE = "genre"
    ADDED = "added"
    DURATION = "duration"
    TEMPO = "tempo"
    KEY = "key"
    ENERGY = "energy"
    LOUDNESS = "loudness"
    RATING = "rating"


@dataclass(frozen=True, slots=True)
class Column:
    """How a fact is kept and shown.

    Parameters
    ----------
    heading, form : of its column in a list of tracks; without a heading it has none.
    sort : the key that sorts by it.
    is_positive : zero and less mean that it is unknown.
    counts_octaves : a range also takes its half and its double.
    certainty : name of the fact that says how certain it is, 0 to 1; shown beside it where
        `stemcrate.schemas.doubt` calls it doubtful.
    """

    heading: str | None = None
    form: str = "{}"
    sort: SortKey | None = None
    is_positive: bool = False
    counts_octaves: bool = False
    certainty: str | None = None


class CatalogueFacts(BaseModel):
    """The facts in a line about a track; null: unknown."""

    duration_s: Annotated[
        float | None, Column("Length", "{:.0f} s", SortKey.DURATION, is_positive=True)
    ]
    tempo_bpm: Annotated[
        float | None,
        Column(
            "BPM",
            "{:.2f}",
            SortKey.TEMPO,
            is_positive=True,
            counts_octaves=True,
            certainty="tempo_confidence",
        ),
    ]
    tempo_confidence: Annotated[float | None, Column()] = Field(
        None, description="Probability that the tempo is right."
    )
    camelot: Annotated[str | None, Column("Camelot", sort=SortKey.KEY, certainty="key_confidence")]
    key_confidence: Annotated[float | None, Column()] = Field(
        None, description="Probability that the key is right."
    )
    energy: Annotated[
        float | None, Column("Energy", "{:.0f}", SortKey.ENERGY, is_positive=True)
    ] = Field(description="1 to 10.")
    integrated_loudness_lufs: Annotated[float | None, Column("LUFS", "{:.1f}", SortKey.LOUDNESS)]
    vocal_ratio: Annotated[float | None, Column()] = Field(
        description="Fraction of the duration with vocals, 0 to 1."
    )
    rating: Annotated[int | None, Column("Stars", "{:.0f}", SortKey.RATING)] = Field(
        description="0 to 5 stars, set by hand."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFacts:
    """The numbers that sets are planned by; None: unknown."""

    tempo_bpm: float | None = None
    energy: float | None = None
    duration_s: float | None = None
    integrated_loudness_lufs: float | None = None
    first_downbeat_s: float | None = None


PLANNED = tuple(field.name for field in fields(PlannedFacts))
LISTED = {
    name: column
    for name, field in CatalogueFacts.model_fields.items()
    for column in field.metadata
    if isinstance(column, Column)
}
NUMBERS = {
    **{name: Column() for name in PLANNED},
    **{name: column for name, column in LISTED.items() if name != "camelot"},
}
"""Every fact that is a number, with its column in the catalogue."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The end of a range that a field of `TrackQuery` sets."""

    fact: str
    side: Literal["least", "most"]


class TrackFilter(BaseModel):
    """Which tracks of the library are wanted; every field narrows it further.

    A track whose value is unknown lies in no range, is neither with nor without vocals, and comes
    last in every order.
    """

    text: str = Field(
        "",
        max_length=500,
        description="Words that must all occur in title, artist, album, genre, "
        "comment, year or file name; capitals and accents do not matter.",
    )
    key: str | None = Field(None, min_length=1, description="A key: `8A`, `1m`, `Am` or `A minor`.")
    mixes_with: str | None = Field(
        None,
        min_length=1,
        description="A key: finds it, its neighbours on the Camelot wheel and its relative.",
    )
    tempo_min_bpm: Annotated[float | None, Bound("tempo_bpm", "least")] = Field(
        None,
        allow_inf_nan=False,
        description="Minimum tempo; half and double tempo match: 87 BPM matches 170 to 180.",
    )
    tempo_max_bpm: Annotated[float | None, Bound("tempo_bpm", "most")] = Field(
        None, allow_inf_nan=False, description="Maximum tempo."
    )
    energy_min: Annotated[float | None, Bound("energy", "least")] = Field(
        None, allow_inf_nan=False, description="Minimum energy, 1 to 10."
    )
    energy_max: Annotated[float | None, Bound("energy", "most")] = Field(
        None, allow_inf_nan=False, description="Maximum energy."
    )
    loudness_min_lufs: Annotated[float | None, Bound("integrated_loudness_lufs", "least")] = Field(
        None, allow_inf_nan=False, description="Minimum integrated loudness, LUFS."
    )
    loudness_max_lufs: Annotated[float | None, Bound("integrated_loudness_lufs", "most")] = Field(
        None, allow_inf_nan=False, description="Maximum integrated loudness."
    )
    duration_min_s: Annotated[float | None, Bound("duration_s", "least")] = Field(
        None, allow_inf_nan=False, description="Minimum duration in seconds."
    )
    duration_max_s: Annotated[float | None, Bound("duration_s", "most")] = Field(
        None, allow_inf_nan=False, description="Maximum duration in seconds."
    )
    rating_min: Annotated[float | None, Bound("rating", "least")] = Field(
        None, allow_inf_nan=False, description="Minimum rating, 0 to 5 stars."
    )
    rating_max: Annotated[float | None, Bound("rating", "most")] = Field(
        None, allow_inf_nan=False, description="Maximum rating."
    )
    vocals: Literal["with", "without"] | None = Field(
        None, description="`with` or `without` (less than 5 % of the time)."
    )
    doubtful: Literal["tempo", "key", "either"] | None = Field(
        None,
        description="Tracks whose tempo or key is known, and more likely wrong than right.",
    )

    def bounds(self) -> Iterator[tuple[str, Bound, float]]:
        """Yield the ends of ranges that are set: field, bound and value."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            for bound in field.metadata:
                if isinstance(bound, Bound) and value is not None:
                    yield name, bound, value


class TrackSearch(TrackFilter):
    """A search of the library, or of a collection."""

    collection: str | None = Field(
        None, min_length=1, description="Id of a collection: only its tracks."
    )


class TrackQuery(TrackSearch):
    """A page of a search of the library."""

    sort: SortKey = Field(SortKey.TITLE, description="Sort key; unknown values come last.")
    descending: bool = Field(False, description="Sort in descending order.")
    limit: int = Field(50, ge=1, le=MAX_LIMIT, description="Maximum number of tracks.")
    cursor: str | None = Field(
        None,
        min_length=1,
        description="`next_cursor` of the previous page, with the same order.",
    )
    offset: int = Field(
        0,
        ge=0,
        le=MAX_OFFSET,
        description="Number of tracks to leave out, to jump to a place; not with `cursor`, which "
        "is faster from page to page and misses no track when others are added.",
    )
