"""Links and lists of tracks from elsewhere, and what became of each."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from stemcrate.schemas.manifest import Failure
from stemcrate.schemas.options import ProcessingOptions
from stemcrate.schemas.tasks import Task, TaskRecord

MAX_FAILED = 100
"""Failed tracks that an ingest names; it counts them all."""


class ListedTrack(BaseModel):
    """A track of a list: a file, a link, or artist and title to look for."""

    model_config = ConfigDict(extra="ignore")

    file: str | None = Field(None, max_length=4096, description="Path, as the list has it.")
    url: str | None = Field(None, max_length=4096, examples=["https://example.org/song.flac"])
    artist: str | None = Field(None, max_length=500)
    title: str | None = Field(None, max_length=500)

    @property
    def label(self) -> str:
        """What people call it."""
        named = " - ".join(part for part in (self.artist, self.title) if part)
        return named or self.url or self.file or ""


class TrackOutcome(StrEnum):
    """What became of a track of a list."""

    WAITING = "waiting"
    FETCHED = "fetched"
    ADDED = "added"
    KNOWN = "known"
    FAILED = "failed"


class IngestedTrack(ListedTrack):
    """A track of a list, with what became of it."""

    outcome: TrackOutcome = TrackOutcome.WAITING
    name: str | None = Field(None, description="Name of its file, once it is found.")
    track_id: str | None = Field(None, description="SHA-256 of its bytes, once they are known.")
    error: Failure | None = None


class IngestManifest(BaseModel):
    """A list as JSON: read by `stemcrate ingest`, and written by it with the outcomes."""

    tracks: list[IngestedTrack]


class IngestRequest(BaseModel):
    """Links and lists to fetch, for the library or for a job."""

    links: list[str] = Field(
        default_factory=list,
        max_length=1000,
        description="Links to recordings, or to playlists of allowed hosts.",
        examples=[["https://example.org/song.flac"]],
    )
    list_text: str | None = Field(
        None,
        description="A list of tracks: one link or `artist - title` a line, CSV, TSV, M3U8, XSPF, "
        "rekordbox XML, Traktor NML, or JSON.",
    )
    list_name: str = Field(
        "", max_length=255, description="Name of the list's file, whose suffix tells the format."
    )
    job: dict[str, str] | None = Field(
        None,
        description="Options of a job that processes the tracks, as `POST /process` takes them; "
        "`{}` takes the defaults. Null: the tracks are added to the library.",
    )


class Ingest(Task):
    """State and progress of an ingest."""

    name: str = Field(description="What was asked for, in short.")
    is_job: bool = Field(False, description="Whether a job of this id processes the tracks.")
    n_tracks: int = Field(0, description="Number of tracks; grows where a link is a playlist.")
    n_done: int = 0
    n_added: int = Field(0, description="New tracks of the library, or tracks of the job.")
    n_known: int = Field(0, description="Tracks that the library has.")
    n_failed: int = 0
    failed: list[IngestedTrack] = Field(
        default_factory=list, description=f"The first {MAX_FAILED} tracks that failed."
    )


class IngestRecord(Ingest, TaskRecord):
    """An ingest as it is kept; its tracks are kept beside it.

    ``is_limited``: the quotas of the owner hold.
    """

    options: ProcessingOptions | None = None
    is_limited: bool = False


class Ingests(BaseModel):
    """The last ingests, newest first."""

    ingests: list[Ingest]
