"""What the API says, as types: the one place where the shape of an answer is written."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from core.artifacts.manifest import (
    Artefact,
    Failure,
    JobState,
    StageState,
    Warning,
)

JobKind = Literal["separation", "analysis"]
EXAMPLE_JOB_ID = "0199b6f0-5c3a-7d2e-9a41-3f8a6c1e7b20"


class Health(BaseModel):
    """Whether work submitted now will be done."""

    status: Literal["ok", "no_workers", "no_database"] = Field(
        description="`no_workers`: jobs are accepted and wait; `no_database`: they are refused."
    )
    version: str
    database: bool = Field(description="Whether the job database answers.")
    workers: int = Field(description="Workers that are alive.")


class ModelInfo(BaseModel):
    """A separator model."""

    name: str
    family: str
    stems: list[str] = Field(description="Empty where only the weights tell.")
    licence: str
    description: str = ""
    available: bool = Field(
        description="Whether every worker can run it; while none has reported, whether the API's "
        "machine could."
    )


class ModelChoice(BaseModel):
    """The model that a job gets when it names none."""

    configured: str
    resolved: str | None = Field(description="None when there is no usable model.")
    reason: str


class WorkerInfo(BaseModel):
    """A worker that is alive, as it described itself within the last seconds."""

    device: str | None = Field(description="Where it runs models; null while, or if, unknown.")
    device_reason: str
    models: list[str] = Field(description="Names of the models that it can run.")
    auto: str | None = Field(description="The model that it takes for `auto`.")
    auto_reason: str


class RecipeInfo(BaseModel):
    """A named sum of stems."""

    name: str
    description: str
    stems: list[str] | None = Field(description="What is summed; null: every stem but `without`.")
    without: list[str]


class RequestLimits(BaseModel):
    """What one request may send."""

    max_upload_bytes: int = Field(description="For each file.")
    max_duration_s: float
    max_files_per_job: int


class Configuration(BaseModel):
    """What this installation offers."""

    version: str
    models: list[ModelInfo]
    model: ModelChoice
    device: str = Field(description="The setting DEVICE; `workers` says what it comes to.")
    workers: list[WorkerInfo]
    stages: list[str] = Field(description="Optional stages, in no particular order.")
    recipes: list[RecipeInfo]
    formats: list[str]
    bit_depths: list[str]
    defaults: dict[str, Any] = Field(description="The options of a job that names none.")
    limits: RequestLimits


class JobLinks(BaseModel):
    """Paths below the address of this API."""

    self: str
    manifest: str
    outputs: str
    events: str
    cancel: str
    zip: str


class JobReference(BaseModel):
    """A job that was just made or told something."""

    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    state: JobState
    links: JobLinks


class TrackView(BaseModel):
    """One mixture of a job."""

    index: int
    id: str = Field(description="SHA-256 of the file's bytes: its id in the library.")
    name: str
    state: JobState
    analysis: dict[str, Any] = Field(
        description="What was found, as far as one value tells it (tempo, key, energy, …); beats, "
        "chords and everything else that is a list are in the manifest."
    )
    error: Failure | None


class StageView(BaseModel):
    """One stage of a job; `track_index` is null for a stage of the whole job."""

    track_index: int | None
    name: str
    state: StageState
    seconds: float | None
    attempts: int


class WarningView(Warning):
    """A warning and whose it is; `track_index` is null for one of the whole job."""

    track_index: int | None


class JobView(BaseModel):
    """Where a job stands; small enough to be asked for again and again."""

    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    kind: JobKind = Field(description="`analysis`: it makes facts, and delivers no files.")
    state: JobState
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    stage: str | None = Field(description="The stage that runs now.")
    track_index: int | None = Field(description="The track that it works on.")
    fraction: float = Field(description="How much of the whole job is done, 0 to 1.")
    eta_s: float | None = Field(description="Seconds that are probably left.")
    silent_s: float | None = Field(description="Seconds since the stage last told how far it is.")
    model: dict[str, Any]
    device: dict[str, Any]
    tracks: list[TrackView]
    stages: list[StageView]
    warnings: list[WarningView]
    error: Failure | None
    links: JobLinks


class JobSummary(BaseModel):
    """A line of the history."""

    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    kind: JobKind = Field(description="`analysis`: it makes facts, and delivers no files.")
    state: JobState
    created_at: datetime
    finished_at: datetime | None
    names: list[str]
    n_tracks: int
    model: str | None = Field(
        description="The model that separated, or the one asked for; null where none does."
    )
    n_warnings: int


class JobPage(BaseModel):
    """A page of the history, newest first."""

    jobs: list[JobSummary]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page.")


class ArtefactView(Artefact):
    """An artefact and where to get it; `track_index` is null for one of the whole job."""

    track_index: int | None
    url: str


class Outputs(BaseModel):
    """Everything that a job delivered."""

    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    artefacts: list[ArtefactView]
    zip_url: str
