"""Corrections by hand: an overlay of values that win over those of the analysis and of the tags.

A correction never changes what it corrects: the value that was found is kept beside it, a new
analysis does not touch it, and without it that value counts again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from stemcrate.schemas.facts import N_HOT_CUES, CuePoint, GridSegment, Part, TrackFacts
from stemcrate.schemas.tags import TextTags

LEAST_TEMPO_BPM, MOST_TEMPO_BPM = 20.0, 500.0
MAX_BEATS_PER_BAR = 16
MAX_SECONDS = 1e6
"""Beyond any recording; the limit of a track is its duration."""

Tempo = Annotated[
    float, Field(strict=True, ge=LEAST_TEMPO_BPM, le=MOST_TEMPO_BPM, allow_inf_nan=False)
]
Seconds = Annotated[float, Field(strict=True, ge=0, le=MAX_SECONDS, allow_inf_nan=False)]
BeatsPerBar = Annotated[int, Field(strict=True, ge=1, le=MAX_BEATS_PER_BAR)]


class LayGrid(Part):
    """Replace the grid by an even one."""

    op: Literal["lay"]
    anchor_s: Seconds = Field(description="Time of a downbeat.")
    tempo_bpm: Tempo | None = Field(None, description="Tempo; null: the present one.")
    beats_per_bar: BeatsPerBar | None = Field(
        None, description="Beats in a bar; null: the present number."
    )


class ScaleGrid(Part):
    """Multiply the tempo; the first downbeat stays."""

    op: Literal["scale"]
    by: Literal["2", "1/2", "3/2", "2/3"]


class ShiftGrid(Part):
    """Move the grid by beats; half a beat swaps beat and off-beat."""

    op: Literal["shift"]
    beats: float = Field(strict=True, ge=-16, le=16, allow_inf_nan=False)


class NudgeGrid(Part):
    """Move the grid by milliseconds; above 0: later."""

    op: Literal["nudge"]
    ms: float = Field(strict=True, ge=-10_000, le=10_000, allow_inf_nan=False)


class SetDownbeat(Part):
    """Begin a bar on the beat nearest to a time; beats stay where they are."""

    op: Literal["downbeat"]
    time_s: Seconds


class AnchorGrid(Part):
    """Move the grid so that its nearest beat is at a time, and begins a bar."""

    op: Literal["anchor"]
    time_s: Seconds


class StretchGrid(Part):
    """Stretch the grid so that one beat moves to another time while the anchor stays."""

    op: Literal["stretch"]
    beat_s: Seconds = Field(description="The nearest beat is moved.")
    to_s: Seconds = Field(description="Where it is moved.")
    anchor_s: Seconds | None = Field(
        None, description="The nearest beat stays; null: the first downbeat that is heard."
    )


class SetMetre(Part):
    """Set the number of beats in a bar; the first downbeat stays."""

    op: Literal["metre"]
    beats_per_bar: BeatsPerBar


class LockGrid(Part):
    """Keep tempo and grid as they are: other changes are refused until it is unlocked."""

    op: Literal["lock"]


class UnlockGrid(Part):
    """Permit changes of tempo and grid."""

    op: Literal["unlock"]


GridOperation = Annotated[
    LayGrid
    | ScaleGrid
    | ShiftGrid
    | NudgeGrid
    | SetDownbeat
    | AnchorGrid
    | StretchGrid
    | SetMetre
    | LockGrid
    | UnlockGrid,
    Field(discriminator="op"),
]


class CorrectedGrid(Part):
    """A beat grid set by hand."""

    tempo_bpm: float = Field(description="Tempo of most of the recording.")
    beats_per_bar: int
    segments: list[GridSegment] = Field(description="Stretches of constant tempo, at least one.")
    is_locked: bool = Field(False, description="Whether changes are refused.")


class CorrectedCue(CuePoint):
    """A cue point or loop set by hand."""

    time_s: Seconds
    name: str = Field("", max_length=100)
    end_s: Seconds | None = None
    hot_cue: int | None = Field(
        None,
        strict=True,
        ge=1,
        le=N_HOT_CUES,
        description="Number of the hot cue; null for a memory cue.",
    )
    colour: str | None = Field(None, pattern="^#[0-9A-Fa-f]{6}$")

    @model_validator(mode="after")
    def _check_end(self) -> Self:
        if self.end_s is not None and self.end_s <= self.time_s:
            raise ValueError(f"the loop ends at {self.end_s:g} s, before its start")
        return self


def _check_hot_cues(cues: list[CorrectedCue]) -> list[CorrectedCue]:
    numbers = [cue.hot_cue for cue in cues if cue.hot_cue is not None]
    twice = next((number for number in numbers if numbers.count(number) > 1), None)
    if twice is not None:
        raise ValueError(f"two cues are hot cue {twice}")
    return sorted(cues, key=lambda cue: cue.time_s)


CorrectedCues = Annotated[
    list[CorrectedCue], Field(max_length=200), AfterValidator(_check_hot_cues)
]
Text = Annotated[str, Field(max_length=500)]


class CorrectedValues(BaseModel):
    """Corrections of single values, as they are given and as they are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text | None = Field(None, description="Title.")
    artist: Text | None = Field(None, description="Artist; empty: unknown.")
    album: Text | None = Field(None, description="Album; empty: unknown.")
    genre: Text | None = Field(None, description="Genre; empty: unknown.")
    year: int | None = Field(None, strict=True, ge=1, le=9999, description="Year.")
    comment: Annotated[str, Field(max_length=4000)] | None = Field(
        None, description="Comment; empty: no comment."
    )
    rating: int | None = Field(None, strict=True, ge=0, le=5, description="Stars, 0 to 5.")
    energy: int | None = Field(None, strict=True, ge=1, le=10, description="Energy, 1 to 10.")
    key: str | None = Field(
        None, max_length=30, description="Key: `8A`, `1m`, `Am` or `A minor`.", examples=["8A"]
    )
    tempo_bpm: float | None = Field(
        None,
        strict=True,
        ge=LEAST_TEMPO_BPM,
        le=MOST_TEMPO_BPM,
        allow_inf_nan=False,
        description="Tempo in BPM. The grid becomes even; its first heard downbeat stays.",
    )
    cues: CorrectedCues | None = Field(
        None, description="All cue points and loops; they replace those of the analysis."
    )


class Corrections(CorrectedValues):
    """The corrections of a track; null: not corrected.

    ``tempo_bpm`` is set where there is no grid; otherwise the tempo is the grid's.
    """

    grid: CorrectedGrid | None = None


class CorrectionsChange(CorrectedValues):
    """A change of corrections: a field that is left out stays, null undoes its correction.

    Tempo and grid are one: undoing either undoes both. The tempo is set before operations on the
    grid, which are carried out in order.
    """

    grid: Annotated[list[GridOperation], Field(min_length=1, max_length=50)] | None = Field(
        None, description="Operations on the beat grid, in order."
    )


class CorrectionsView(BaseModel):
    """What of a track is corrected, and what was found."""

    values: Corrections
    corrected_at: Mapping[str, datetime] = Field(
        description="When each corrected field was changed last."
    )
    analysed: TrackFacts = Field(
        description="Values of the analysis (of title and artist: of the tags) for the facts "
        "that differ because of corrections; null: none was found."
    )
    tags: TextTags = Field(description="The file's own tags, of those that are corrected.")
    n_undo: int = Field(description="Number of changes that can be undone one by one.")
