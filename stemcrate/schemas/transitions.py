"""How one track mixes into the next."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stemcrate.schemas.record import Partial

TrackId = int | str
"""A track of the library by its id, or one of a job by its index."""

LoudnessBasis = Literal["delivered", "source", "mixed"]


class DroppedStem(BaseModel):
    """A stem to mute so that nothing clashes, with its time span in seconds of its track."""

    model_config = ConfigDict(frozen=True)

    track_id: TrackId
    stem: str = Field(examples=["vocals"])
    start_s: float
    end_s: float


class Transition(Partial):
    """How one track mixes into the next: in a job's playlist, in the library's, beside a track.

    Scores run from 0 (do not) to 1 (as good as it gets). Times are seconds of the track that they
    belong to, as it was recorded.
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True, frozen=True)

    from_id: TrackId = Field(alias="from")
    to_id: TrackId = Field(alias="to")
    score: float = Field(description="Weighted sum of the six scores that follow.")
    harmony: float
    tempo: float
    energy: float
    loudness: float
    timbre: float
    vocals: float
    loudness_step_lu: float | None = Field(
        None, description="Loudness of the incoming track minus that of the outgoing one, in LU."
    )
    loudness_of: LoudnessBasis | None = Field(
        None,
        description="What the step compares: `delivered` files, the `source` recordings, or "
        "`mixed`, one of each.",
    )
    pitch_change_percent: float | None = Field(
        description="Pitch change of the incoming track that meets the outgoing one's tempo, half "
        "and double time allowed; null where a tempo is unknown."
    )
    mix_out_s: float | None = Field(
        description="Start of the mix in the outgoing track; null if its end is unknown."
    )
    mix_in_s: float = Field(description="Start of the mix in the incoming track.")
    overlap_s: float | None = Field(
        description="Overlap in seconds of the outgoing track; null if unknown."
    )
    overlap_bars: int | None = Field(
        description="The same in bars of the outgoing track; null where it has no tempo, or the "
        "mix is shorter than one bar."
    )
    vocal_clash_s: float | None = Field(
        description="Duration of overlapping vocals; null if unknown."
    )
    drops: tuple[DroppedStem, ...]
    reasons: tuple[str, ...] = Field(description="Sentences for people, harmony first.")

    @model_validator(mode="before")
    @classmethod
    def _read_nested(cls, data: Any) -> Any:
        """Read a job's transition as written before 0.1.0: ``parts``, and ``drops[].track``."""
        if not isinstance(data, dict) or "parts" not in data:
            return data
        flat = {name: value for name, value in data.items() if name != "parts"}
        drops = [{**drop, "track_id": drop["track"]} for drop in data["drops"]]
        return {**flat, **data["parts"], "drops": drops}
