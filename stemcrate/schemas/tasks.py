"""What a worker does on request besides jobs: imports of folders, ingests of links and lists."""

from datetime import datetime

from stemcrate.schemas.manifest import Failure, JobState
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.record import Record


class Task(Record):
    """State of a task."""

    id: str
    state: JobState = JobState.QUEUED
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: Failure | None = None


class TaskRecord(Task):
    """A task as it is kept.

    ``attempt`` counts how often it was begun: only the newest attempt may write.
    """

    owner: str = LOCAL
    attempt: int = 0
