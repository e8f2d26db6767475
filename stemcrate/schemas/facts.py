"""Facts of a recording: the one schema of the analysis.

The manifest of a job, the library, the command line and the API hold the same facts under the same
names. The JSON is flat; here each group of facts is a model of its own, which is what the stage
that finds it returns, and `TrackFacts` is all of them.

Units: times in seconds from the start of the recording, rounded to microseconds; tempi in BPM,
rounded to 0.0001; levels in dB, LU or LUFS, rounded to thousandths; confidences, scores and ratios
from 0 to 1, rounded to thousandths. None: unknown, or not defined for this recording.
"""

from collections.abc import Set
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from stemcrate.schemas.delivered import DeliveredLoudness
from stemcrate.schemas.record import Facts

MIXTURE = "mixture"
"""The whole recording, beside its stems."""

N_HOT_CUES = 8
"""Pads of every program and player."""

Share = Annotated[float, Field(ge=0, le=1)]
KnownTempo = Annotated[float | None, AfterValidator(lambda tempo_bpm: tempo_bpm or None)]
"""A tempo in BPM; None without a pulse, for which versions before 8 of the analysis stored 0."""

Interval = tuple[float, float]
"""Start and end in seconds."""


class Part(BaseModel):
    """An element of a list of facts."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TempoAlternative(Part):
    """Another possible tempo of the recording."""

    tempo_bpm: float
    score: Share


class GridSegment(Part):
    """A stretch of evenly spaced beats, up to the next segment or the end."""

    start_s: float = Field(description="Time of its first beat.")
    tempo_bpm: float
    n_beats: int
    first_beat_in_bar: int = Field(description="Which beat of the bar its first beat is, from 1.")


class KeyAlternative(Part):
    """Another key that fits the recording."""

    key: str
    camelot: str
    score: Share


class KeySegment(Part):
    """A stretch of the recording in one key."""

    start_s: float
    end_s: float
    key: str
    camelot: str
    confidence: Share


class EnergyCurve(Part):
    """Energy over time: one value, 1 to 10, every ``hop_s`` seconds."""

    hop_s: float
    values: list[float]


class ChromaValues(Part):
    """Strength of the pitch classes C to B over time: 12 values, 0 to 100, every ``hop_s`` seconds.

    The strongest of a span has 100; a span without pitch has zeros.
    """

    hop_s: float
    values: list[list[int]]


class LoudnessValues(Part):
    """Short-term loudness, over 3 s, every ``hop_s`` seconds; null below −70 LUFS."""

    hop_s: float
    values: list[float | None]


class SectionLabel(StrEnum):
    """Function of a section in a track."""

    INTRO = "intro"
    VERSE = "verse"
    BODY = "body"
    BUILD = "build"
    DROP = "drop"
    CHORUS = "chorus"
    BREAK = "break"
    BRIDGE = "bridge"
    OUTRO = "outro"


class Section(Part):
    """A section of the form; sections with the same ``letter`` sound alike."""

    start_s: float
    end_s: float
    label: SectionLabel
    letter: str
    n_bars: int
    confidence: Share


class CuePoint(Part):
    """A cue point, or a loop where it has an end."""

    time_s: float
    name: str
    end_s: float | None = Field(None, description="End of a loop; null for a cue point.")
    hot_cue: int | None = Field(
        None, description="Number of the hot cue, 1 to 8; null for a memory cue."
    )
    colour: str | None = Field(None, description="Colour, such as `#CC0000`; null: the default.")


def _number_hot_cues(cues: list[CuePoint]) -> list[CuePoint]:
    """Make the first 8 cues of an analysis hot cues; what was numbered before stays."""
    if any("hot_cue" in cue.model_fields_set for cue in cues):
        return cues
    ordered = sorted(cues, key=lambda cue: cue.time_s)
    return [
        cue.model_copy(update={"hot_cue": number if number <= N_HOT_CUES else None})
        for number, cue in enumerate(ordered, start=1)
    ]


Cues = Annotated[list[CuePoint], AfterValidator(_number_hot_cues)]
"""Cue points in order of time."""


class Chord(Part):
    """A chord with its time span; ``N`` is no chord."""

    start_s: float
    end_s: float
    chord: str
    confidence: Share


class Descriptors(Part):
    """Timbre descriptors of the mixture and of stems.

    ``vectors`` holds little-endian float32 in base64, by ``mixture`` or the stem's name. Vectors of
    one ``version`` have the same length and can be compared.
    """

    version: str
    vectors: dict[str, str]


class SourceFacts(Facts):
    """The file's own metadata; title and artist come from its tags, else from its name."""

    title: str | None = Field(None, description="Title of the track.")
    artist: str | None = Field(None, description="Artist of the track.")
    rating: int | None = Field(None, description="Rating, 0 to 5 stars; null unless set by hand.")
    duration_s: float | None = Field(None, description="Duration of the recording.")


class TempoFacts(Facts):
    """Tempo, beats and bars."""

    stage: ClassVar[str | None] = "tempo"

    tempo_bpm: KnownTempo = Field(
        None, description="Tempo of most of the recording; null without a pulse."
    )
    tempo_confidence: Share | None = Field(None, description="Probability that it is right.")
    tempo_alternatives: list[TempoAlternative] = Field(
        default_factory=list, description="Other tempi, with scores relative to the tempo's 1."
    )
    tempo_is_steady: bool | None = Field(None, description="Whether one tempo holds throughout.")
    time_signature: str | None = Field(
        None, description="`4/4` or `3/4`; null if neither fits.", examples=["4/4"]
    )
    beats_s: list[float] = Field(default_factory=list, description="Times of beats.")
    downbeats_s: list[float] = Field(
        default_factory=list, description="Times of the beats that begin a bar."
    )
    downbeat_confidence: Share | None = Field(
        None, description="Probability that the bars begin there."
    )
    beat_grid: list[GridSegment] = Field(
        default_factory=list, description="Stretches of constant tempo."
    )


class KeyFacts(Facts):
    """Key in every notation, and over time."""

    stage: ClassVar[str | None] = "key"

    key: str | None = Field(
        None, description="Key; null if nothing has a pitch.", examples=["A minor"]
    )
    key_short: str | None = Field(None, description="The same in short.", examples=["Am"])
    camelot: str | None = Field(None, description="Camelot code of the key.", examples=["8A"])
    open_key: str | None = Field(None, description="Open Key code of the key.", examples=["1m"])
    key_confidence: Share | None = Field(None, description="Probability that the key is right.")
    key_alternatives: list[KeyAlternative] = Field(
        default_factory=list, description="The next best keys."
    )
    key_is_contested: bool | None = Field(
        None, description="Whether pitched stems name another key."
    )
    key_over_time: list[KeySegment] = Field(
        default_factory=list, description="Stretches of one key."
    )
    tuning_cents: float | None = Field(None, description="Deviation from A4 = 440 Hz.")
    chroma_over_time: ChromaValues | None = Field(None, description="Pitch classes over time.")


class EnergyFacts(Facts):
    """How energetic the recording is, 1 to 10."""

    stage: ClassVar[str | None] = "energy"

    energy: int | None = Field(None, description="Energy, 1 to 10.")
    energy_value: float | None = Field(None, description="Energy before rounding.")
    energy_components: dict[str, float] = Field(
        default_factory=dict, description="`loudness`, `flux`, `drive` and `density`, 0 to 1."
    )
    energy_over_time: EnergyCurve | None = Field(None, description="Energy over time.")


class LoudnessFacts(Facts):
    """Loudness (ITU-R BS.1770-4, EBU R 128) and peaks of the recording as it came in."""

    integrated_loudness_lufs: float | None = Field(
        None, description="Integrated loudness; null for silence and below 400 ms."
    )
    loudness_range_lu: float | None = Field(None, description="Loudness range; null below 3 s.")
    true_peak_dbtp: float | None = Field(None, description="True peak.")
    sample_peak_dbfs: float | None = Field(None, description="Sample peak.")
    momentary_max_lufs: float | None = Field(None, description="Maximum over 400 ms.")
    short_term_max_lufs: float | None = Field(None, description="Maximum over 3 s.")
    replaygain_db: float | None = Field(None, description="ReplayGain 2.0 track gain.")
    replaygain_peak: float | None = Field(
        None, description="ReplayGain 2.0 peak; linear, 1 is full scale."
    )
    loudness_over_time: LoudnessValues | None = Field(
        None, description="Short-term loudness over time; empty below 3 s."
    )


class VocalsFacts(Facts):
    """Sung passages; None if no vocal stem was available."""

    stage: ClassVar[str | None] = "vocals"

    vocals_s: list[Interval] | None = Field(None, description="Sung passages, start and end.")
    vocal_ratio: Share | None = Field(None, description="Fraction of the duration with vocals.")
    is_instrumental: bool | None = Field(None, description="Whether nobody sings.")
    vocals_confidence: Share | None = Field(None, description="Certainty of the passages.")
    vocals_absent_because: str | None = Field(
        None, description="Why vocals are unknown, as a sentence."
    )


class StructureFacts(Facts):
    """Form, mixing windows and cue points."""

    stage: ClassVar[str | None] = "structure"

    sections: list[Section] = Field(default_factory=list, description="Sections in order.")
    first_downbeat_s: float | None = Field(None, description="Time of the first downbeat.")
    mix_in_s: Interval | None = Field(None, description="Window to mix in, start and end.")
    mix_in_bars: int | None = Field(None, description="The same in bars.")
    mix_out_s: Interval | None = Field(None, description="Window to mix out, start and end.")
    mix_out_bars: int | None = Field(None, description="The same in bars.")
    cues: Cues = Field(
        default_factory=list, description="Cue points and loops; the analysis finds up to 8."
    )
    audible_s: Interval | None = Field(
        None, description="Range above −60 dB relative to the loudest part."
    )


class ChordFacts(Facts):
    """Chords over time."""

    stage: ClassVar[str | None] = "chords"

    chords: list[Chord] = Field(default_factory=list, description="Chords with time spans.")


class DescriptorFacts(Facts):
    """Timbre of the recording, for similarity."""

    stage: ClassVar[str | None] = "descriptors"

    descriptors: Descriptors | None = Field(
        None, description="Timbre vectors of the mixture and of stems."
    )


class TrackFacts(
    SourceFacts,
    TempoFacts,
    KeyFacts,
    EnergyFacts,
    LoudnessFacts,
    VocalsFacts,
    StructureFacts,
    ChordFacts,
    DescriptorFacts,
):
    """All facts of a recording that do not depend on one job."""

    stage: ClassVar[str | None] = None

    def merge(self, found: Facts) -> None:
        """Copy the facts that are set in ``found``."""
        for name in found.model_fields_set:
            setattr(self, name, getattr(found, name))

    def without(self, names: Set[str]) -> "TrackFacts":
        """Return a copy without some facts."""
        return TrackFacts.model_validate(self.model_dump(exclude=set(names)))


GROUPS = tuple(group for group in TrackFacts.__bases__ if issubclass(group, Facts))
"""The groups of facts, in order."""
ANALYSIS_STAGES = tuple(group.stage for group in GROUPS if group.stage)
"""The stages that find facts, in their order; each finds one group, energy also the loudness."""


class NullTest(Part):
    """Level of mixture minus stems, in dBFS; None for silence."""

    residual: str = Field(description="The residual's policy: fold, keep or off.")
    folded_into: str | None = None
    residual_dbfs: float | None = None
    residual_peak_dbfs: float | None = None


class StemQuality(Part):
    """Level and peak of one stem, in dBFS, and samples beyond full scale."""

    rms_dbfs: float | None
    peak_dbfs: float | None
    n_clipped: int
    is_silent: bool


class SeparationQuality(Part):
    """A separation rated without a reference; see docs/models.md.

    ``correlation`` holds that of the mono sums of each two stems, −1 to 1, by ``a/b``.
    """

    residual_dbfs: float | None
    residual_peak_dbfs: float | None
    stems: dict[str, StemQuality]
    correlation: dict[str, float | None]
    mixture_is_silent: bool


class JobFacts(TrackFacts):
    """Facts of a job's track: those of the recording, and those of this job only."""

    gain_db: float | None = Field(None, description="Gain of all of the track's files.")
    gains_db: dict[str, float] | None = Field(None, description="Gain of each file, by label.")
    delivered_loudness: DeliveredLoudness | None = Field(
        None,
        description="Loudness of the delivered `main`, or of the sum of the stems where all files "
        "have one gain.",
    )
    null_test: NullTest | None = None
    separation_quality: SeparationQuality | None = None

    def of_recording(self) -> TrackFacts:
        """Return the facts that do not depend on this job."""
        own = JobFacts.model_fields.keys() - TrackFacts.model_fields.keys()
        return TrackFacts.model_validate(self.model_dump(exclude=set(own)))
