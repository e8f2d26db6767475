"""Downloads of models' weights, as records and as the API describes them."""

from datetime import datetime

from pydantic import BaseModel, Field

from stemcrate.schemas.manifest import Failure, JobState
from stemcrate.schemas.record import Record


class FetchRecord(Record):
    """A download as it is kept on disk, one for each model.

    ``run`` is renewed whenever the download is requested: who works on an earlier one must not
    write any more.
    """

    model: str
    run: str
    state: JobState = JobState.QUEUED
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    done_bytes: int = 0
    total_bytes: int | None = None
    error: Failure | None = None


class WeightsFetch(BaseModel):
    """State and progress of the download of a model's weights."""

    model: str = Field(examples=["htdemucs"])
    state: JobState
    fraction: float | None = Field(
        description="Fraction that is done, 0 to 1; null while the size is unknown."
    )
    done_bytes: int = Field(
        description="Bytes of the files that are there, with those of an earlier attempt."
    )
    total_bytes: int | None = Field(description="Bytes of all files; null while unknown.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: Failure | None = Field(description="Why it failed, and what to do.")
