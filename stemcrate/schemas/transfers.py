"""Transfers: files of a job put where they are wanted, outside of the installation."""

from pydantic import BaseModel, Field

from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.tasks import Task, TaskRecord

INDEX = "index.json"


class TransferRequest(BaseModel):
    """Where the files of a job go."""

    target: str = Field(
        min_length=1,
        max_length=2000,
        description="One of the targets of the installation, or a place below one: "
        "`s3://bucket/prefix`, `gs://…`, `az://…`, `file:///folder`, or `https://…` for WebDAV.",
        examples=["s3://crates/from-stemcrate"],
    )
    template: str = Field(
        "{job_id}/{name}",
        max_length=200,
        description="Name of each file below the target. Fields: job_id artist title track name. "
        "`name` is the name of the artefact and has to be there.",
    )


class Transfer(Task):
    """State and progress of a transfer."""

    job_id: str
    target: str
    template: str
    n_files: int | None = Field(None, description="Files to transfer; null before it began.")
    n_done: int = 0
    n_bytes: int = Field(0, description="Bytes of the files that are done.")
    index_url: str | None = Field(
        None, description="Address of the list of all files, once everything is there."
    )


class TransferRecord(Transfer, TaskRecord):
    """A transfer as it is kept."""


class Transfers(BaseModel):
    """The targets that may be named, and the last transfers, newest first."""

    targets: list[str]
    transfers: list[Transfer]


class TransferredFile(BaseModel):
    """A file of an index. ``name`` is that of the artefact, ``path`` relative to the index."""

    name: str
    path: str
    url: str
    sha256: str
    bytes: int
    role: str
    label: str | None
    format: str


class TransferredTrack(BaseModel):
    """A track of an index, with what was found in it. ``sha256`` is that of its recording."""

    sha256: str
    title: str
    artist: str
    facts: JobFacts
    files: list[TransferredFile]


class TransferIndex(BaseModel):
    """All that was transferred of a job: `index.json` beside the files."""

    schema_version: int = 1
    job_id: str
    tracks: list[TransferredTrack]
    files: list[TransferredFile] = Field(description="Files of the whole job.")
