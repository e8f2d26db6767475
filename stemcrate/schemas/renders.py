"""Renders: audio that is mixed on the server, as requests and as the API describes them.

A render belongs to its request: the same request on the same audio is the same render, which is
made once. Its id is derived from both.
"""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from stemcrate.schemas.jobs import EXAMPLE_JOB_ID
from stemcrate.schemas.manifest import Failure, JobState, StageWarning
from stemcrate.schemas.options import BitDepth, DeliveryFormat
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.record import Record
from stemcrate.schemas.transitions import Transition

EXAMPLE_RENDER_ID = "5f0c2f3e-9d1b-8a67-b2c4-0e7d5a913f68"


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: DeliveryFormat = Field("wav", description="Format of the file.")
    bit_depth: BitDepth = Field(
        "auto", description="`auto` is 32-bit float in WAV where the stems are, else 24."
    )


class Lane(BaseModel):
    """Mixer settings of one stem."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gain_db: float = Field(0.0, ge=-120, le=24, description="Gain in dB.")
    pan: float = Field(
        0.0,
        ge=-1,
        le=1,
        description="−1 is left, 1 right; the law of Web Audio's StereoPannerNode.",
    )
    muted: bool = Field(False, description="Leave it out.")


class MixRequest(_Request):
    """A mix of a track's stems."""

    kind: Literal["mix"] = "mix"
    job_id: str = Field(description="The job that delivered the stems.", examples=[EXAMPLE_JOB_ID])
    track_index: int = Field(0, ge=0, description="The track in the job.")
    lanes: dict[str, Lane] = Field(
        {},
        max_length=100,
        description="Settings by label of the output: exactly these are mixed. By default all "
        "stems, as they are.",
        examples=[{"vocals": {"gain_db": -6}, "drums": {"pan": 0.2}, "bass": {}, "other": {}}],
    )
    gain_db: float = Field(0.0, ge=-120, le=24, description="Gain of the sum in dB.")
    start_s: float = Field(0.0, ge=0, description="Start of the range in seconds of the track.")
    end_s: float | None = Field(
        None, gt=0, description="End of the range; by default the end of the track."
    )
    tempo_ratio: float = Field(
        1.0, ge=0.5, le=1.5, description="Tempo relative to the track's; the pitch stays."
    )
    pitch_semitones: float = Field(
        0.0, ge=-12, le=12, description="Transposition in semitones; drums keep their pitch."
    )

    @field_validator("end_s")
    @classmethod
    def _follow_start(cls, end_s: float | None, info: ValidationInfo) -> float | None:
        if end_s is not None and end_s <= info.data.get("start_s", 0.0):
            raise ValueError("must be after start_s")
        return end_s


class RenderTrack(BaseModel):
    """A track of a job, or of the library; the stems of its newest job are used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    job_id: str | None = Field(None, description="The track's job.", examples=[EXAMPLE_JOB_ID])
    track_index: int = Field(0, ge=0, description="The track in the job.")
    track_id: str | None = Field(None, description="The track's id in the library.")

    @model_validator(mode="after")
    def _name_one(self) -> Self:
        if (self.job_id is None) == (self.track_id is None):
            raise ValueError("name either job_id or track_id")
        return self


Bars = Annotated[int, Field(ge=0, le=128)]
TempoCourse = Literal["hold", "ramp"]
Fade = Literal["equal_power", "bass_swap"]


class TransitionRequest(_Request):
    """A preview of mixing one track into another, on the beat."""

    kind: Literal["transition"] = "transition"
    outgoing: RenderTrack = Field(description="The track that ends.")
    incoming: RenderTrack = Field(description="The track that begins.")
    transition: Transition | None = Field(
        None,
        description="How they mix, as a playlist or `compatible` describes it; by default the "
        "tracks are rated anew.",
    )
    out_bar: int | None = Field(
        None,
        ge=1,
        description="Bar of the outgoing track in which the mix starts, from 1; by default that "
        "nearest to the transition's `mix_out_s`.",
    )
    in_bar: int | None = Field(
        None,
        ge=1,
        description="Bar of the incoming track that is heard there; by default that nearest to "
        "`mix_in_s`.",
    )
    overlap_bars: int | None = Field(
        None,
        ge=1,
        le=128,
        description="Length of the mix in bars of the outgoing track; by default the transition's.",
    )
    tempo: TempoCourse = Field(
        "hold",
        description="`hold` keeps the outgoing track's tempo; `ramp` goes to the incoming one's "
        "during the mix.",
    )
    fade: Fade = Field(
        "equal_power",
        description="`equal_power` fades over the whole mix; `bass_swap` also swaps the basses "
        "within one beat in the middle.",
    )
    drop_stems: bool = Field(True, description="Mute the stems that the transition drops.")
    before_bars: Bars = Field(32, description="Bars before the mix.")
    after_bars: Bars = Field(32, description="Bars after the mix.")


RenderRequest = Annotated[MixRequest | TransitionRequest, Field(discriminator="kind")]


class RenderedTransition(Record):
    """How a transition was rendered; times in seconds of the render, unless a track is named."""

    starts_s: float = Field(description="Start of the mix.")
    ends_s: float = Field(description="End of the mix.")
    overlap_bars: int
    outgoing_start_s: float = Field(description="Position in the outgoing track at the start.")
    mix_out_s: float = Field(description="Start of the mix in the outgoing track.")
    mix_in_s: float = Field(description="Start of the mix in the incoming track.")
    incoming_speed: float = Field(description="Of the incoming track at the start of the mix.")
    outgoing_gain_db: float = Field(description="Gain that makes both equally loud.")
    incoming_gain_db: float
    transition: Transition = Field(description="As it was rated, with the stems it drops.")


class RenderFile(Record):
    """The finished file."""

    name: str
    format: DeliveryFormat
    bit_depth: Literal["16", "24", "32f"] | None = Field(description="Null for lossy formats.")
    sample_rate: int
    n_channels: int
    duration_s: float
    bytes: int
    sha256: str
    true_peak_dbtp: float | None = Field(description="True peak of the file; null for silence.")
    lowered_db: float = Field(
        description="By how much the whole was lowered so that it does not clip; 0: not at all."
    )


class RenderRecord(Record):
    """A render as it is kept beside its file.

    ``run`` is renewed whenever the render is queued, ``attempt`` counts how often it was begun:
    only the newest attempt at the newest run may write. ``job_ids`` and ``track_ids`` name what its
    audio comes from: it is deleted with the first of them.
    """

    id: str
    owner: str = LOCAL
    run: str
    attempt: int = 0
    state: JobState = JobState.QUEUED
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    request: RenderRequest
    job_ids: list[str]
    track_ids: list[str]
    file: RenderFile | None = None
    transition: RenderedTransition | None = None
    warnings: list[StageWarning] = Field(default_factory=list)
    error: Failure | None = None


class RenderLinks(BaseModel):
    """Paths below the address of this API."""

    self: str
    file: str


class Render(BaseModel):
    """State and progress of a render."""

    id: str = Field(examples=[EXAMPLE_RENDER_ID])
    state: JobState
    fraction: float = Field(description="Fraction that is done, 0 to 1.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    request: RenderRequest
    file: RenderFile | None = Field(description="Null until it has completed.")
    transition: RenderedTransition | None = Field(
        description="How a transition was rendered; null for a mix, and until it has completed."
    )
    warnings: list[StageWarning]
    error: Failure | None
    links: RenderLinks
