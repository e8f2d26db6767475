"""What an installation offers, and whether it works."""

from collections.abc import Collection
from typing import Literal

from pydantic import BaseModel, Field

from stemcrate.schemas.facts import MIXTURE
from stemcrate.schemas.options import RecordedOptions
from stemcrate.schemas.weights import WeightsFetch

HealthStatus = Literal["ok", "no_workers", "disk_full", "no_database"]


class Health(BaseModel):
    """Whether submitted work will be done."""

    status: HealthStatus = Field(
        description="`no_workers`: jobs are accepted and wait; `disk_full`: new files are refused, "
        "because the disk has less than MIN_FREE_BYTES; `no_database`: jobs are refused."
    )
    version: str
    database: bool = Field(description="Whether the job database answers.")
    workers: int = Field(description="Number of live workers.")
    free_bytes: int = Field(description="Free space on the disk of DATA_DIR.")
    stalled_jobs: int = Field(
        description="Number of started jobs whose worker has ended and that wait for another one."
    )


class ModelInfo(BaseModel):
    """A separator model."""

    name: str
    family: str
    stems: list[str] = Field(description="Empty if only the weights define them.")
    licence: str
    description: str = ""
    available: bool = Field(
        description="Whether every worker can run it; before any report, whether the API's "
        "machine could."
    )
    hint: str = Field("", description="How to make it available.")
    can_fetch: bool = Field(
        False,
        description="Whether its weights alone are missing, and `POST /models/{name}/weights` "
        "fetches them.",
    )
    fetch: WeightsFetch | None = Field(
        None, description="The download of its weights that waits, runs or has failed."
    )
    memory_bytes: int | None = Field(
        None,
        description="Need of memory: the peak of a process that runs a whole job of this model on "
        "a CPU, as measured for docs/benchmarks.md; it hardly depends on the length. Null if it "
        "was not measured.",
    )
    realtime_factors: dict[str, float] = Field(
        {},
        description="Seconds of audio per second of work, by `preset`, as measured in the last "
        "jobs of this installation; empty before its first.",
    )


class ModelChoice(BaseModel):
    """The default model of jobs."""

    configured: str
    resolved: str | None = Field(description="None when there is no usable model.")
    reason: str


class WorkerInfo(BaseModel):
    """A live worker, as of its last report."""

    device: str | None = Field(description="Its device for models; null if unknown.")
    device_reason: str
    models: list[str] = Field(description="Names of the models that it can run.")
    auto: str | None = Field(description="The model that it takes for `auto`.")
    auto_reason: str


class RecipeInfo(BaseModel):
    """A named sum of stems."""

    name: str
    description: str
    stems: list[str] | None = Field(description="Summed stems; null: every stem except `without`.")
    without: list[str]

    def is_possible(self, available: Collection[str]) -> bool:
        """Return whether the available audio, named as stems are, makes it."""
        return {*(self.stems or self.without)} <= {MIXTURE, *available}


class RequestLimits(BaseModel):
    """Limits of one request."""

    max_upload_bytes: int = Field(description="For each file.")
    max_duration_s: float
    max_files_per_job: int


class ExportInfo(BaseModel):
    """A format that playlists are exported in."""

    name: str = Field(examples=["rekordbox"])
    label: str = Field(examples=["rekordbox"])
    needs_target: bool = Field(
        description="Whether it holds absolute paths, so that the target folder must be named."
    )


class Configuration(BaseModel):
    """What this installation offers."""

    version: str
    models: list[ModelInfo]
    model: ModelChoice
    device: str = Field(description="The setting DEVICE; `workers` lists the resolved devices.")
    workers: list[WorkerInfo]
    stages: list[str] = Field(description="Optional stages, in no particular order.")
    recipes: list[RecipeInfo]
    formats: list[str]
    bit_depths: list[str]
    defaults: RecordedOptions = Field(description="Default options of a job.")
    exports: list[ExportInfo] = Field(
        description="Formats of playlists; `pack` is one ZIP of everything."
    )
    enrichers: list[str] = Field(
        default_factory=list, description="Names of the enrichers that are switched on."
    )
    limits: RequestLimits
    fetches_links: bool = Field(
        False, description="Whether links and lists are fetched (`POST /ingest`)."
    )
