"""Events of a job, as `GET /job/{id}/events` sends them.

The number of an event (``id`` of the stream) is not part of its data; the client adds it.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from stemcrate.schemas.manifest import JobState, StageState


class JobStanding(BaseModel):
    """Progress of the whole job."""

    stage: str | None = Field(description="The stage that runs now.")
    track_index: int | None = Field(description="The track that it works on.")
    fraction: float = Field(description="Fraction of the whole job that is done, 0 to 1.")
    eta_s: float | None = Field(description="Estimated remaining seconds.")
    silent_s: float | None = Field(
        None, description="Seconds since the stage last reported progress."
    )


class _Event(BaseModel):
    id: SkipJsonSchema[int] = Field(0, description="Its number in the log of all jobs.")
    at: datetime | None = None
    job: JobStanding | None = Field(None, description="Only on the newest event.")


class StateEvent(_Event):
    """The job changed its state; one with a final state is the last event."""

    kind: Literal["state"]
    state: JobState


class StageEvent(_Event):
    """A stage started or ended; ``track_index`` is None for a stage of the whole job."""

    kind: Literal["stage"]
    stage: str
    track_index: int | None = None
    state: StageState
    attempt: int | None = None


class ProgressEvent(_Event):
    """A running stage progressed."""

    kind: Literal["progress"]
    stage: str
    track_index: int | None = None
    fraction: float = Field(description="Of the stage, 0 to 1.")
    eta_s: float | None = Field(None, description="Remaining seconds of the stage.")


JobEvent = Annotated[StateEvent | StageEvent | ProgressEvent, Field(discriminator="kind")]
