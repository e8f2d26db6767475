"""What a job may be asked for: the same options by REST, command line and browser."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from core.errors import InvalidOption, UnsupportedFormat
from core.export.names import check_template
from core.pipeline.composites import RECIPE_NAMES
from core.separation.streaming.effort import Combination, Preset
from stemcrate.schemas.manifest import NO_MODEL

OptionalStage = Literal[
    "harmonic_percussive",
    "composite",
    "normalization",
    "tempo",
    "key",
    "energy",
    "vocals",
    "structure",
    "chords",
    "descriptors",
    "waveform",
    "playlist",
]
OPTIONAL_STAGES: tuple[OptionalStage, ...] = OptionalStage.__args__  # type: ignore[attr-defined]
DeliveryFormat = Literal["wav", "flac", "mp3", "m4a", "alac", "opus"]
BitDepth = Literal["auto", "16", "24", "32f"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def _split(value: object) -> object:
    """Read ``a,b c`` as a list: form fields and the command line have no lists."""
    if isinstance(value, str):
        return tuple(part for part in re.split(r"[,\s]+", value) if part)
    return value


def _read_recipes(value: object) -> object:
    """Read ``karaoke=drums+bass;dub=drums`` as a mapping of names to stems."""
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
    """One job's options. Frozen: a job is what was asked for when it was made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        "auto",
        description="Separator model; `auto` takes the best one at hand, `a+b` is an ensemble, "
        "`none` separates nothing: the job analyses, and delivers no files.",
    )
    preset: Preset = Field(
        "balanced",
        description="`fast`, `balanced` or `best`: how much work the separation is worth. With "
        "model `auto`, `fast` takes Spleeter, `best` htdemucs_ft where its weights are.",
    )
    stems: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        (),
        description="The stems that are wanted; all by default. What only the others need is not "
        "run; they are delivered together, as `accompaniment` (all but vocals) or `rest`.",
    )
    shifts: int = Field(
        0,
        ge=0,
        le=10,
        description="Passes at as many different offsets, averaged; 0 leaves it to the preset.",
    )
    augment: bool = Field(
        False, description="Two more passes, channels swapped and polarity inverted, averaged."
    )
    wiener: bool = Field(
        False, description="Refine the stems by their share of the mixture's power."
    )
    ensemble: Combination = Field(
        "average", description="How the models of `model=a+b` are put together."
    )
    ensemble_weights: Annotated[tuple[Weight, ...], BeforeValidator(_split)] = Field(
        (), description="Weights of the models of `model=a+b` in their average."
    )
    residual: Literal["fold", "keep", "off"] = Field(
        "fold",
        description="What happens to mixture − Σ stems: folded into `other`/`accompaniment`, "
        "kept as a stem of its own, or left out.",
    )
    stages: Annotated[tuple[OptionalStage, ...], BeforeValidator(_split)] = Field(
        OPTIONAL_STAGES, description="The optional stages to run."
    )
    format: DeliveryFormat = Field("wav", description="Format of the delivered audio.")
    bit_depth: BitDepth = Field(
        "auto", description="`auto` is the source's bit depth, and at least 24."
    )
    name_template: str = Field(
        "{artist} - {title} [{stem}]",
        description="File names. Fields: artist title stem bpm key camelot track_number album.",
        max_length=200,
    )
    normalization: Literal["common", "per_track", "off"] = Field(
        "common",
        description="`common`: one gain, measured on the mixture, for all files of a track, so "
        "that the stems still sum; `per_track`: a gain for each file; `off`: none.",
    )
    target_lufs: float = Field(-14.0, ge=-60, le=0, description="Target integrated loudness.")
    true_peak_ceiling_dbtp: float = Field(
        -1.0, ge=-60, le=0, description="True peak that normalization never exceeds."
    )
    clipping: Literal["none", "rescale", "clamp"] = Field(
        "rescale",
        description="Where integers would clip: `rescale` lowers a track's files by one gain, "
        "`none` writes what exceeds full scale as 32-bit float WAV, `clamp` cuts it off.",
    )
    hpss_kernel_size: int = Field(
        31, ge=3, le=255, description="Length of the median filters, in frames and bins."
    )
    hpss_margin_harmonic: float = Field(1.0, ge=1, le=20)
    hpss_margin_percussive: float = Field(1.0, ge=1, le=20)
    recipes: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        RECIPE_NAMES, description="The composite tracks to make."
    )
    custom_recipes: Annotated[dict[str, tuple[str, ...]], BeforeValidator(_read_recipes)] = Field(
        {}, description="More composites: `name=stem+stem;name=stem`.", max_length=50
    )
    tempo_min_bpm: float = Field(70.0, ge=20, le=300)
    tempo_max_bpm: float = Field(180.0, ge=40, le=400)
    playlist_name: str = Field("Stemcrate set", min_length=1, max_length=120)

    @property
    def separates(self) -> bool:
        """Whether the job separates and delivers, or only analyses."""
        return self.model != NO_MODEL

    @model_validator(mode="after")
    def _check(self) -> "ProcessingOptions":
        check_template(self.name_template)
        if self.bit_depth == "32f" and self.format in ("flac", "alac"):
            raise UnsupportedFormat(
                f"{self.format} has no 32-bit float.",
                hint="Use bit_depth 24 or 16, or format wav.",
                field="bit_depth",
            )
        if self.tempo_max_bpm < 2 * self.tempo_min_bpm:
            raise InvalidOption(
                f"The tempo range {self.tempo_min_bpm:g}–{self.tempo_max_bpm:g} BPM is less than "
                "an octave.",
                hint="tempo_max_bpm must be at least twice tempo_min_bpm.",
                field="tempo_max_bpm",
            )
        for name, sources in self.custom_recipes.items():
            if not _NAME.fullmatch(name) or not sources:
                raise InvalidOption(
                    f"The recipe '{name}' is not usable.",
                    hint="Write name=stem+stem, the name in a-z, 0-9, _ and -.",
                    field="custom_recipes",
                )
            if name in RECIPE_NAMES:
                raise InvalidOption(
                    f"The recipe '{name}' exists already.",
                    hint="Give yours another name.",
                    field="custom_recipes",
                )
        for name in self.recipes:
            if name not in (*RECIPE_NAMES, *self.custom_recipes):
                raise InvalidOption(
                    f"There is no recipe '{name}'.",
                    hint=f"Recipes: {', '.join(RECIPE_NAMES)}. Your own: custom_recipes.",
                    field="recipes",
                )
        return self


def parse_options(values: Mapping[str, Any], base: ProcessingOptions) -> ProcessingOptions:
    """Read options as they come from a form or a command line, over the defaults in ``base``.

    Raises `InvalidOption` (or a subclass), whose ``field`` names the first option at fault.
    """
    try:
        return ProcessingOptions.model_validate({**base.model_dump(), **values})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else None
        value = values.get(field) if field else None
        kind = UnsupportedFormat if field == "format" else InvalidOption
        raise kind(
            f"The option '{field}' cannot be {value!r}.",
            hint=f"{first['msg']}.",
            field=field,
        ) from error
