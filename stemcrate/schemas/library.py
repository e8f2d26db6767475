"""Tracks of the library as the API describes them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from stemcrate.schemas.corrections import CorrectionsView
from stemcrate.schemas.enrichment import Enrichment
from stemcrate.schemas.facts import TrackFacts
from stemcrate.schemas.jobs import JobReceipt
from stemcrate.schemas.search import CatalogueFacts
from stemcrate.schemas.tags import TextTags
from stemcrate.schemas.transitions import Transition

EXAMPLE_TRACK_ID = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"


class TrackLine(CatalogueFacts):
    """Summary of a track of the library."""

    id: str = Field(description="SHA-256 of the file's bytes.", examples=[EXAMPLE_TRACK_ID])
    title: str
    artist: str | None
    genre: str | None
    comment: str | None
    cover_url: str | None
    thumbnail_url: str | None = Field(description="The cover in small; null without a cover.")
    stems: list[str] = Field(description="Stems that a job separated it into.")
    corrected: list[str] = Field(description="Fields that were corrected by hand.")
    added_at: datetime
    is_missing: bool = Field(description="Whether its file is missing.")


class LibraryPage(BaseModel):
    """A page of tracks."""

    tracks: list[TrackLine]
    next_cursor: str | None = Field(description="Pass it as `cursor` to get the next page.")
    total: int | None = Field(
        description="Number of tracks on all pages; null on pages that a `cursor` leads to."
    )


class MapCell(BaseModel):
    """Tracks of one key and tempo."""

    camelot: str = Field(examples=["8A"])
    tempo_bpm: int = Field(description="Rounded.")
    n_tracks: int


class LibraryMap(BaseModel):
    """How many tracks have which key and tempo; those without either are left out."""

    cells: list[MapCell]


class TrackDetails(TrackLine):
    """All that is known of a track."""

    name: str = Field(description="Original file name.")
    bytes: int
    n_files: int = Field(description="Number of files with these bytes.")
    sample_rate: int | None
    n_channels: int | None
    bit_depth: int | None
    codec: str | None
    container: str | None
    tags: TextTags = Field(description="Tags of the file, with corrections.")
    facts: TrackFacts = Field(description="Facts of the analysis, with corrections.")
    corrections: CorrectionsView
    enrichment: Enrichment = Field(default_factory=Enrichment, description="What enrichers found.")
    version: str = Field(
        description="Changes when facts, tags or corrections change; also the `ETag`."
    )
    jobs: list[str] = Field(description="Jobs that processed it.")


class RefusedFile(BaseModel):
    """A file that could not be added."""

    name: str
    code: str
    detail: str
    hint: str


class Added(BaseModel):
    """Outcome of adding a job's tracks."""

    added: list[str] = Field(description="Ids of new tracks.")
    known: list[str] = Field(description="Ids of known tracks.")
    refused: list[RefusedFile]


class Adding(BaseModel):
    """Outcome of sending files."""

    job: JobReceipt | None = Field(
        description="The job that analyses the new tracks; null if there is none."
    )
    known: list[str] = Field(description="Ids of known tracks.")
    refused: list[RefusedFile]


class SimilarTrack(BaseModel):
    """A similar track."""

    track: TrackLine
    similarity: float = Field(description="Cosine of the vectors, -1 to 1.")


class SimilarTracks(BaseModel):
    """Similar tracks, best first."""

    tracks: list[SimilarTrack]


class CompatibleTrack(BaseModel):
    """A compatible track with its transition."""

    track: TrackLine
    transition: Transition


class CompatibleTracks(BaseModel):
    """Compatible tracks, best first."""

    tracks: list[CompatibleTrack]


class DuplicateGroupView(BaseModel):
    """A group of duplicates."""

    level: Literal["bytes", "packets", "recording", "review"] = Field(
        description="`bytes`: one track in several files; `packets`: the same encoded audio with "
        "other tags; `recording`: the same recording in other encodings; `review`: a person "
        "should judge."
    )
    bit_error_rate: float | None
    tracks: list[TrackLine]


class Duplicates(BaseModel):
    """Groups of duplicates, most certain first."""

    groups: list[DuplicateGroupView]
