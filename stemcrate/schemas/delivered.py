"""Loudness of delivered files, and why it is not the target."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

LoudnessLimit = Literal["true_peak_ceiling", "full_scale"]
"""What keeps a gain below the one that reaches the target."""


class DeliveredLoudness(BaseModel):
    """Loudness and true peak of audio as delivered: measured before its gain, plus the gain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    integrated_lufs: float | None = Field(
        description="Integrated loudness; null for silence and below 400 ms."
    )
    true_peak_dbtp: float | None = Field(
        description="True peak, of lossy formats before encoding; null if unknown."
    )
    target_lufs: float | None = Field(description="Target loudness; null without normalization.")
    limit: LoudnessLimit | None = Field(
        description="What kept it below the target: `true_peak_ceiling`, or `full_scale` where "
        "integers would clip. Null if the target was reached, or is not known to be missed."
    )
    note: str | None = Field(description="The same as a sentence.")
