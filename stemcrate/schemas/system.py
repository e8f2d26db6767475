"""How an installation stands: queue, disk, settings, versions and what failed lately."""

from datetime import datetime

from pydantic import BaseModel, Field

from stemcrate.schemas.configuration import WorkerInfo
from stemcrate.schemas.jobs import EXAMPLE_JOB_ID


class QueueInfo(BaseModel):
    """The jobs that have not ended."""

    waiting: int = Field(description="Jobs that no worker has taken yet.")
    running: int = Field(description="Jobs that a worker has taken.")
    oldest_waiting_s: int | None = Field(
        description="Seconds since the job that waits longest was submitted; null if none waits."
    )


class FolderSize(BaseModel):
    """The size of a folder of DATA_DIR; ``.`` stands for the files beside its folders."""

    name: str
    bytes: int


class DiskInfo(BaseModel):
    """The disk of DATA_DIR."""

    total_bytes: int
    free_bytes: int
    min_free_bytes: int = Field(description="New files are refused below it (MIN_FREE_BYTES).")
    folders: list[FolderSize] = Field(description="Largest first, measured within a minute.")


class SettingInfo(BaseModel):
    """A setting in force. Passwords are left out."""

    name: str = Field(description="Name of the environment variable.")
    value: str
    is_default: bool
    description: str


class RecentFailure(BaseModel):
    """A track, or a whole job, that failed."""

    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    track_index: int | None = Field(description="Null: the whole job.")
    name: str = Field(description="Name of the file; of the first one for a whole job.")
    at: datetime | None = Field(description="When the job ended; null while it runs.")
    code: str
    message: str
    hint: str


class SystemReport(BaseModel):
    """How this installation stands."""

    version: str
    versions: dict[str, str] = Field(description="Python, the system, and the main libraries.")
    workers: list[WorkerInfo]
    queue: QueueInfo | None = Field(description="Null while the database does not answer.")
    disk: DiskInfo
    settings: list[SettingInfo]
    failures: list[RecentFailure] = Field(description="Newest first, of the last 200 jobs.")
