"""Overview waveforms of a track's outputs: the artefact with the label ``waveforms``."""

from pydantic import BaseModel, Field


class Peaks(BaseModel):
    """The waveform of one output: one value a bin, linear, 1 is full scale."""

    peaks_min: list[float]
    peaks_max: list[float]
    rms: list[float]


class Waveforms(BaseModel):
    """The waveforms of all outputs of a track."""

    n_bins: int
    outputs: dict[str, Peaks] = Field(description="By label, such as `vocals`.")
