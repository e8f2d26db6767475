"""Typed results of stages, for later stages; the manifest stores them as ``result``.

Stages do not import one another: they meet here and in `core.pipeline.context`.
"""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from stemcrate.schemas.facts import LoudnessFacts, NullTest, SeparationQuality
from stemcrate.schemas.manifest import DeviceRecord, ModelRecord, SourceDetails
from stemcrate.schemas.record import Facts
from stemcrate.schemas.sets import SetDescription


class StageResult(BaseModel):
    """What a stage found.

    Subclasses add fields for later stages; a plug-in's stage may add any JSON-serializable field.

    Attributes
    ----------
    stage : name of the stage, by which a later stage finds the result.
    facts : facts of the recording, merged into the track's analysis.
    is_known : whether all of it was found before, by another job or command.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    stage: ClassVar[str] = ""
    facts: Facts = Field(default_factory=Facts, exclude=True)
    is_known: bool = Field(False, exclude=True)


class DecodeResult(StageResult):
    """The decoded mixture and the file's own metadata."""

    stage: ClassVar[str] = "decode"
    sample_rate: int
    n_channels: int
    n_samples: int
    bit_depth: int | None
    is_float: bool
    is_lossy: bool
    downmix: str | None
    decoder: str
    source: SourceDetails


class SeparationResult(StageResult):
    """The available stems and how they were made."""

    stage: ClassVar[str] = "separation"
    stems: list[str]
    closing_stem: str | None
    model: ModelRecord
    device: DeviceRecord
    effort: dict[str, float | bool]
    null_test: NullTest
    quality: SeparationQuality


class HarmonicPercussiveResult(StageResult):
    """The two parts of the mixture, and whether they sum to it."""

    stage: ClassVar[str] = "harmonic_percussive"
    parts: list[str]
    complementary: bool


class CompositeResult(StageResult):
    """The sources of each composite, and why others are skipped."""

    stage: ClassVar[str] = "composite"
    sums: dict[str, list[str]]
    skipped: dict[str, str]


class NormalizationResult(StageResult):
    """The mixture's loudness and the gain of all files, or loudness and gain of each by label.

    Gains are in dB, loudness is before gain.
    """

    stage: ClassVar[str] = "normalization"
    mode: str
    mixture: LoudnessFacts
    outputs: dict[str, LoudnessFacts] = Field(default_factory=dict)
    gain_db: float = 0.0
    gains_db: dict[str, float] = Field(default_factory=dict)


class TempoResult(StageResult):
    """The tempo, None without a pulse, and whether the drum stem decided it."""

    stage: ClassVar[str] = "tempo"
    tempo_bpm: float | None
    decided_by_drums: bool


class KeyResult(StageResult):
    """The key and the stems that were analysed besides the mixture."""

    stage: ClassVar[str] = "key"
    key: str | None
    stems: list[str]


class PlaylistResult(StageResult):
    """The order of the job's tracks."""

    stage: ClassVar[str] = "playlist"
    playlist: SetDescription = Field(exclude=True)
