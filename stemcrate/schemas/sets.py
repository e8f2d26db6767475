"""Sets: requests and plans. Jobs and the library use the same shape."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from stemcrate.schemas.facts import KnownTempo
from stemcrate.schemas.record import Partial
from stemcrate.schemas.transitions import Transition

DEFAULT_MAX_PITCH_PERCENT = 6.0
"""Beyond ±6 % voices and keys shift audibly; it is also the usual range of a pitch fader."""


class SetWishes(BaseModel):
    """Request for a set. Without a duration or number of tracks, every track is played."""

    model_config = ConfigDict(extra="forbid")

    duration_s: float | None = Field(None, gt=0, description="Duration of the set, in seconds.")
    n_tracks: int | None = Field(None, ge=1, description="Number of tracks.")
    curve: str | Annotated[list[tuple[float, float]], Field(max_length=1000)] | None = Field(
        None,
        description="`warm-up`, `peak`, `cool-down`, `wave`, `flat`, or points "
        "[progress 0 to 1, energy 1 to 10].",
    )
    start: str | None = Field(None, description="The first track.")
    end: str | None = Field(None, description="The last track.")
    must_play: list[str] = Field([], description="Tracks that must be included.")
    never: list[str] = Field([], description="Tracks that must be excluded.")
    artist_gap: int = Field(
        0,
        ge=0,
        description="Minimum distance between tracks of the same artist; 2: not in succession.",
    )
    max_pitch_percent: float = Field(
        DEFAULT_MAX_PITCH_PERCENT, gt=0, lt=100, description="Maximum pitch change, in percent."
    )

    @field_validator("duration_s", "n_tracks", "artist_gap", "max_pitch_percent", mode="before")
    @classmethod
    def _refuse_truth_values(cls, value: Any) -> Any:
        """Refuse true and false, which pydantic would read as 1 and 0."""
        if isinstance(value, bool):
            raise ValueError("must be a number, not true or false")
        return value


class RelaxedWish(BaseModel):
    """A request that could not be met, and what happens instead."""

    model_config = ConfigDict(frozen=True)

    wish: str = Field(description="Field of the request; `tracks` for the tracks themselves.")
    words: str = Field(description="A sentence for people.")


class SetTrack(BaseModel):
    """A track in its place in a set; ``index`` is its place among the job's (or given) tracks."""

    index: int
    title: str
    artist: str | None = None
    tempo_bpm: KnownTempo = None
    tempo_confidence: float | None = None
    camelot: str | None = None
    key_confidence: float | None = None
    energy: float | None = None
    duration_s: float | None = None
    starts_s: float = Field(description="Start of the track, in seconds of the set.")


class SetDescription(Partial):
    """A set with its transitions; empty if nothing was planned.

    A set of the library has ``request`` and ``starts_s`` (its tracks are listed beside it), a set
    of a job ``name`` and ``tracks``. Where an order was given there are only ``transitions``.
    """

    name: str | None = None
    request: SetWishes | None = None
    score: float | None = Field(None, description="Mean of the transitions' scores, 0 to 1.")
    duration_s: float | None = Field(None, description="From the first mix in to the last end.")
    curve_fit: float | None = Field(
        None, description="How well the tracks fit the energy curve, 0 to 1."
    )
    starts_s: list[float] = Field(default_factory=list)
    wanted_energy: list[float] = Field(
        default_factory=list, description="Energy of the curve at each track."
    )
    tracks: list[SetTrack] = Field(default_factory=list)
    transitions: list[Transition] = Field(default_factory=list)
    relaxed: list[RelaxedWish] = Field(default_factory=list)

    @field_validator("relaxed", mode="before")
    @classmethod
    def _read_sentences(cls, relaxed: Any) -> Any:
        """Read a job's set as written before 0.1.0: sentences alone."""
        return [{"wish": "", "words": r} if isinstance(r, str) else r for r in relaxed]
