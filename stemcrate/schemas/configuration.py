"""What an installation offers, and whether it works."""

from typing import Literal

from pydantic import BaseModel, Field

from stemcrate.schemas.options import RecordedOptions

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


class RequestLimits(BaseModel):
    """Limits of one request."""

    max_upload_bytes: int = Field(description="For each file.")
    max_duration_s: float
    max_files_per_job: int


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
    limits: RequestLimits
