"""How one track mixes into the next."""

from pydantic import BaseModel, ConfigDict, Field


class DroppedStem(BaseModel):
    """A stem to take out so that nothing clashes."""

    track_id: str
    stem: str
    start_s: float
    end_s: float


class TransitionView(BaseModel):
    """How one track mixes into the next; scores run from 0 to 1, times are of their own track."""

    model_config = ConfigDict(populate_by_name=True)

    from_id: str = Field(alias="from")
    to_id: str = Field(alias="to")
    score: float
    harmony: float
    tempo: float
    energy: float
    loudness: float
    timbre: float
    vocals: float
    pitch_change_percent: float | None
    mix_out_s: float | None
    mix_in_s: float
    overlap_s: float | None
    overlap_bars: int | None
    vocal_clash_s: float | None
    drops: list[DroppedStem]
    reasons: list[str]
