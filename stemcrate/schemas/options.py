"""Options of a job, the same by REST, command line and browser.

Each option is described here once: its name (with the unit), type, choices, limits, default and
description. Form fields, the command line, the settings and the tables of the docs follow.
`core.pipeline.options` checks what needs knowledge of more than one field.
"""

import re
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from stemcrate.schemas.facts import ANALYSIS_STAGES
from stemcrate.schemas.record import Partial

NO_MODEL = "none"
"""The option ``model`` of a job that separates nothing: it analyses, and delivers no files."""

Preset = Literal["fast", "balanced", "best"]
Residual = Literal["fold", "keep", "off"]
Normalization = Literal["common", "per_track", "off"]
Clipping = Literal["none", "rescale", "clamp"]
Combination = Literal["average", "min_spectrum", "max_spectrum"]
"""How the models of an ensemble are put together; see `core.separation.models.ensemble`."""

OPTIONAL_STAGES = (
    "harmonic_percussive",
    "composite",
    "normalization",
    *ANALYSIS_STAGES,
    "waveform",
    "playlist",
)
"""The optional stages that Stemcrate ships; those of plug-ins are named like them."""

StageName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
CompositeName = Literal[
    "main",
    "main_harmonic",
    "main_percussive",
    "instrumental",
    "acapella",
    "drumless",
    "bassless",
]
COMPOSITE_NAMES: tuple[CompositeName, ...] = get_args(CompositeName)
"""The built-in composites; `core.pipeline.composites` says what each sums."""

DeliveryFormat = Literal["wav", "flac", "mp3", "m4a", "alac", "opus"]
BitDepth = Literal["auto", "16", "24", "32f"]


def _split(value: object) -> object:
    """Split ``a,b c`` into a list: form fields and the command line have no lists."""
    if isinstance(value, str):
        return tuple(part for part in re.split(r"[,\s]+", value) if part)
    return value


def _read_recipes(value: object) -> object:
    """Parse ``karaoke=drums+bass;dub=drums`` as a mapping of names to stems."""
    if not isinstance(value, str):
        return value
    recipes: dict[str, tuple[str, ...]] = {}
    for part in filter(None, (part.strip() for part in value.split(";"))):
        name, separator, sources = part.partition("=")
        if not separator:
            raise ValueError(f"'{part}' is not of the form name=stem+stem")
        recipes[name.strip()] = tuple(s.strip() for s in sources.split("+") if s.strip())
    return recipes


Weight = Annotated[float, Field(gt=0, le=1000)]


class ProcessingOptions(BaseModel):
    """Options of one job. Frozen: they never change after submission."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        "auto",
        description="Separator model. `auto` selects the best installed model, `a+b` is an "
        "ensemble, and `none` only analyses, without delivering files.",
    )
    preset: Preset = Field(
        "balanced",
        title="Quality",
        description="Effort of the separation: `fast` (0.83 times balanced; with model `auto` "
        "Spleeter), `balanced`, or `best` (twice balanced; with model `auto` htdemucs_ft if its "
        "weights are installed).",
    )
    stems: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        (),
        title="Stems",
        description="Stems to separate, such as `vocals`; all by default. Networks that only the "
        "others need are skipped; their sum is delivered as `accompaniment` (all but vocals) or "
        "`rest`.",
    )
    shifts: int = Field(
        0,
        ge=0,
        le=10,
        title="Shifted passes",
        description="Number of averaged passes at different offsets; 0 uses the preset's.",
    )
    augment: bool = Field(
        False,
        title="Swapped and inverted passes (+2)",
        description="Average with two more passes: channels swapped and polarity inverted.",
    )
    wiener: bool = Field(
        False,
        title="Wiener filter",
        description="Refine the stems by their share of the mixture's power.",
    )
    ensemble: Combination = Field(
        "average",
        title="Ensemble combination",
        description="How the models of `model=a+b` are combined.",
    )
    ensemble_weights: Annotated[tuple[Weight, ...], BeforeValidator(_split)] = Field(
        (),
        title="Ensemble weights",
        description="Weights of the models of `model=a+b` in their average, such as `2,1`; above "
        "0, up to 1000. Equal by default.",
    )
    residual: Residual = Field(
        "fold",
        description="Residual (mixture − Σ stems): `fold` adds it to `other` or "
        "`accompaniment`, `keep` delivers it as a stem (either way, the stems sum to the song), "
        "`off` omits it.",
    )
    stages: Annotated[tuple[StageName, ...], BeforeValidator(_split)] = Field(
        OPTIONAL_STAGES,
        description="Optional stages to run; by default all built-in ones, but none of plug-ins.",
    )
    format: DeliveryFormat = Field("wav", description="Format of the delivered audio.")
    bit_depth: BitDepth = Field(
        "auto", description="`auto` is the source's bit depth, but at least 24."
    )
    name_template: str = Field(
        "{artist} - {title} [{stem}]",
        title="File names",
        description="File names. Fields: artist title stem bpm key camelot track_number album.",
        max_length=200,
    )
    normalization: Normalization = Field(
        "common",
        description="`common`: one gain for all files of a track, measured on the mixture, so "
        "that the stems still sum; `per_track`: one gain per file; `off`: no gain.",
    )
    target_lufs: float = Field(
        -14.0,
        ge=-60,
        le=0,
        title="Target loudness (LUFS)",
        description="Target integrated loudness.",
    )
    true_peak_ceiling_dbtp: float = Field(
        -1.0,
        ge=-60,
        le=0,
        title="True-peak ceiling (dBTP)",
        description="Maximum true peak after normalization.",
    )
    clipping: Clipping = Field(
        "rescale",
        title="Clipping",
        description="If integers would clip: `rescale` lowers all files of the track by one "
        "gain, `none` writes files that exceed full scale as 32-bit float WAV, `clamp` clips. "
        "Recorded as a warning.",
    )
    hpss_kernel_size: int = Field(
        31,
        ge=3,
        le=255,
        title="Harmonic/percussive kernel size",
        description="Length of the median filters, in frames and bins.",
    )
    hpss_margin_harmonic: float = Field(
        1.0,
        ge=1,
        le=20,
        title="Margin, harmonic",
        description="Margin by which the harmonic part must exceed the percussive one.",
    )
    hpss_margin_percussive: float = Field(
        1.0,
        ge=1,
        le=20,
        title="Margin, percussive",
        description="Margin by which the percussive part must exceed the harmonic one.",
    )
    recipes: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        COMPOSITE_NAMES,
        title="Composites",
        description="Composite tracks to deliver; by default all built-in ones that the model can "
        "make.",
    )
    custom_recipes: Annotated[dict[str, tuple[str, ...]], BeforeValidator(_read_recipes)] = Field(
        {},
        title="Custom composites",
        description="More composites, up to 50: `name=stem+stem;name=stem`.",
        max_length=50,
    )
    tempo_min_bpm: float = Field(
        50.0, ge=20, le=300, title="Minimum tempo (BPM)", description="Lowest tempo reported."
    )
    tempo_max_bpm: float = Field(
        230.0,
        ge=40,
        le=400,
        title="Maximum tempo (BPM)",
        description="Highest tempo reported; at least twice the lowest.",
    )
    playlist_name: str = Field(
        "Stemcrate set",
        min_length=1,
        max_length=120,
        description="Name of the playlist, and of the ZIP if there are several tracks.",
    )

    @property
    def separates(self) -> bool:
        """Whether the job separates and delivers, or only analyses."""
        return self.model != NO_MODEL


class RecordedOptions(ProcessingOptions, Partial):
    """Options as a manifest keeps them, or as an installation offers them.

    Written by another version they may lack options, which then have their defaults, or hold more,
    which are kept.
    """

    model_config = ConfigDict(extra="allow")

    @classmethod
    def of(cls, options: ProcessingOptions) -> Self:
        """Record options, the defaults among them too."""
        return cls.model_validate(options.model_dump())
