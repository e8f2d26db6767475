"""Jobs as the API describes them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.manifest import (
    Artefact,
    DeviceRecord,
    Failure,
    JobState,
    ModelRecord,
    StageState,
    StageWarning,
)

JobKind = Literal["separation", "analysis"]
EXAMPLE_JOB_ID = "0199b6f0-5c3a-7d2e-9a41-3f8a6c1e7b20"
FailedTracks = Annotated[
    int, Field(description="Number of tracks that failed; a job may complete without them.")
]


class JobLinks(BaseModel):
    """Paths below the address of this API."""

    self: str
    manifest: str
    outputs: str
    events: str
    cancel: str
    retry: str
    zip: str


class JobReceipt(BaseModel):
    """A job that was just created or changed."""

    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    state: JobState
    links: JobLinks


class JobTrack(BaseModel):
    """One mixture of a job."""

    index: int
    id: str = Field(description="SHA-256 of the file's bytes: its id in the library.")
    name: str
    state: JobState
    analysis: JobFacts = Field(
        description="Facts with a single value (tempo, key, energy, …) and the delivered loudness; "
        "the manifest also holds lists (beats, chords, …)."
    )
    error: Failure | None


class StageSummary(BaseModel):
    """One stage of a job; `track_index` is null for a stage of the whole job."""

    track_index: int | None
    name: str
    state: StageState
    seconds: float | None
    attempts: int


class JobWarning(StageWarning):
    """A warning; `track_index` is null if it concerns the whole job."""

    track_index: int | None


class Job(BaseModel):
    """State and progress of a job; small enough for polling."""

    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    kind: JobKind = Field(description="`analysis`: the job finds facts and delivers no files.")
    state: JobState
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    queue_place: int | None = Field(
        None, description="Its place among the jobs that wait for a worker; null unless it does."
    )
    stage: str | None = Field(description="The stage that runs now.")
    track_index: int | None = Field(description="The track that it works on.")
    fraction: float = Field(description="Fraction of the whole job that is done, 0 to 1.")
    eta_s: float | None = Field(description="Estimated remaining seconds.")
    silent_s: float | None = Field(description="Seconds since the stage last reported progress.")
    model: ModelRecord
    device: DeviceRecord
    tracks: list[JobTrack]
    n_failed_tracks: FailedTracks
    n_files: int = Field(description="Number of delivered files so far: what the ZIP contains.")
    can_retry: bool = Field(
        description="Whether `POST /job/{id}/retry` would continue the job: it has ended, and "
        "something failed for a reason that may pass, or was cancelled."
    )
    stages: list[StageSummary]
    warnings: list[JobWarning]
    error: Failure | None
    links: JobLinks


class JobSummary(BaseModel):
    """Summary of a job in the history."""

    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    kind: JobKind = Field(description="`analysis`: the job finds facts and delivers no files.")
    state: JobState
    created_at: datetime
    finished_at: datetime | None
    names: list[str]
    n_tracks: int
    n_failed_tracks: FailedTracks
    model: str | None = Field(
        description="The model that separated, or the requested one; null for an analysis."
    )
    n_warnings: int
    n_bytes: int = Field(description="Size of its results, identical files counted once.")
    can_retry: bool = Field(description="Whether `POST /job/{id}/retry` would do anything.")


class JobQuery(BaseModel):
    """A page of the history; every field but `limit` and `cursor` narrows it."""

    text: str = Field(
        "",
        max_length=500,
        description="Words that must all occur in the names of the job's files or its id; "
        "capitals and accents do not matter.",
    )
    state: JobState | None = Field(None, description="Only jobs in this state.")
    kind: JobKind | None = Field(None, description="Only jobs of this kind.")
    limit: int = Field(50, ge=1, le=200, description="Maximum number of jobs.")
    cursor: str | None = Field(
        None, min_length=1, description="`next_cursor` of the previous page."
    )


class JobPage(BaseModel):
    """A page of the history, newest first."""

    jobs: list[JobSummary]
    next_cursor: str | None = Field(description="Pass it as `cursor` to get the next page.")


class OutputFile(Artefact):
    """An artefact with its URL; `track_index` is null for one of the whole job."""

    track_index: int | None
    url: str


class Outputs(BaseModel):
    """Everything that a job delivered."""

    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    artefacts: list[OutputFile]
    zip_url: str


class LocalFile(Artefact):
    """An artefact with its path on this machine."""

    path: str


class LocalTrack(BaseModel):
    """One mixture of a job that ran on this machine."""

    name: str
    state: JobState
    artefacts: list[LocalFile]
    analysis: JobFacts
    error: Failure | None


class LocalJob(BaseModel):
    """A job that ran on this machine, as the command line describes it."""

    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    state: JobState
    manifest: str = Field(description="Path of its manifest.")
    outputs_dir: str
    zip: str | None = Field(description="Path of the ZIP; null if the job made none.")
    tracks: list[LocalTrack]
    n_failed_tracks: FailedTracks
    artefacts: list[LocalFile] = Field(description="Files of the whole job, such as a playlist.")
    warnings: list[StageWarning]
    error: Failure | None
