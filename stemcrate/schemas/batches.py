"""Batches: many files processed with the same options, a job for each."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field, model_validator

from stemcrate.schemas.manifest import Failure, JobState
from stemcrate.schemas.options import ProcessingOptions
from stemcrate.schemas.record import Record

MAX_INPUTS = 10_000
EXAMPLE_BATCH_ID = "0199b6f0-5c3a-7d2e-9a41-3f8a6c1e7b21"


class BatchInput(Record):
    """A file that the server has: either a complete upload, or bytes of an earlier job or track."""

    upload_id: str | None = Field(None, description="A complete resumable upload.")
    sha256: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 of a file of an own job, or of a track of the library.",
    )
    name: str = Field(
        "", max_length=200, description="Name of a file that `sha256` names; default: the hash."
    )

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.upload_id is None) == (self.sha256 is None):
            raise ValueError("give either upload_id or sha256")
        return self


class BatchRequest(Record):
    """A batch that is wanted."""

    name: str = Field("", max_length=200, description="A label.")
    inputs: list[BatchInput] = Field(
        min_length=1, max_length=MAX_INPUTS, description="The files, a job for each."
    )
    options: dict[str, str] = Field(
        default_factory=dict,
        description="Options of each job, written as the form fields of `POST /process`.",
    )
    webhook_id: str | None = Field(None, description="A webhook that is told the batch's end.")


class BatchCounts(BaseModel):
    """Files of a batch by the state of their jobs; `queued` also where there is no job yet."""

    queued: int = 0
    running: int = 0
    completed: int = 0
    failed: int = Field(0, description="Also files that were refused, of which there is no job.")
    cancelled: int = 0


class BatchLinks(BaseModel):
    """Paths below the address of this API."""

    self: str
    jobs: str
    manifest: str
    cancel: str


class Batch(BaseModel):
    """State of a batch; small enough for polling."""

    id: str = Field(examples=[EXAMPLE_BATCH_ID])
    name: str
    state: JobState = Field(
        description="`completed` once all jobs have ended and any of them completed."
    )
    created_at: datetime
    finished_at: datetime | None
    n_inputs: int
    n_jobs: int = Field(description="Files of which there is a job, so far.")
    counts: BatchCounts
    links: BatchLinks


class BatchItem(BaseModel):
    """A file of a batch."""

    position: int = Field(description="Its place among the inputs, from 0.")
    name: str
    sha256: str | None = Field(description="Null until the file was looked at.")
    job_id: str | None = Field(description="Null while, or where, there is no job.")
    state: JobState
    error: Failure | None = Field(description="Why the file was refused, without a job.")


class BatchPage(BaseModel):
    """A page of the files of a batch, in their order."""

    jobs: list[BatchItem]
    next_cursor: str | None = Field(description="Pass it as `cursor` to get the next page.")


class BatchList(BaseModel):
    """A page of batches, newest first."""

    batches: list[Batch]
    next_cursor: str | None = Field(description="Pass it as `cursor` to get the next page.")


class BatchManifest(BaseModel):
    """The record of a batch: what was asked for, and what became of each file."""

    id: str = Field(examples=[EXAMPLE_BATCH_ID])
    name: str
    state: JobState
    created_at: datetime
    finished_at: datetime | None
    options: ProcessingOptions
    jobs: list[BatchItem]
