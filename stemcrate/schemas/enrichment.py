"""What enrichers found about a track of the library, and runs that look for it.

An enricher adds what the analysis does not: tags, estimates, proposals from a service. Its results
are kept apart from the facts, which an analysis replaces.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from stemcrate.schemas.facts import Part, Share
from stemcrate.schemas.manifest import Failure
from stemcrate.schemas.record import Record
from stemcrate.schemas.tasks import Task, TaskRecord

MAX_FAILED = 100
"""Failed tracks that a run names; it counts them all."""
MAX_ASKED = 500
"""Tracks that a request names."""


class SimilarityBasis(StrEnum):
    """What similar tracks have in common."""

    DESCRIPTORS = "descriptors"
    SOUND = "sound"
    TAGS = "tags"


class EnrichmentStatus(StrEnum):
    """State of all enrichers of a track."""

    NONE = "none"
    DONE = "done"
    FAILED = "failed"


class ScoredTag(Part):
    """A tag with its score, which ranks tracks of one library; it is no probability."""

    name: str = Field(examples=["techno"])
    score: Share


class Estimate(Part):
    """A heuristic value, 0 to 1, and the method that made it."""

    value: Share
    method: str = Field(examples=["energy-1"])


class Proposal(Part):
    """A recording that a service takes a track for; nothing is changed by it.

    Ids are those of MusicBrainz.
    """

    score: Share = Field(description="How well the fingerprints match.")
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    recording_id: str
    artist_ids: list[str] = Field(default_factory=list)
    release_group_id: str | None = None


class EnricherOutcome(Record):
    """What one enricher found about a track, or why it found nothing.

    After a failure the findings of the same model that were there before stay.
    """

    enricher: str
    model: str = Field(description="Model and version; results of different ones do not compare.")
    status: EnrichmentStatus
    finished_at: datetime
    n_attempts: int = 1
    tags: list[ScoredTag] = Field(default_factory=list, description="Best first.")
    danceability: Estimate | None = None
    valence: Estimate | None = None
    arousal: Estimate | None = None
    proposals: list[Proposal] = Field(default_factory=list, description="Best first.")
    n_dimensions: int = Field(0, description="Length of the kept embedding; 0: none.")
    error: Failure | None = None


class Enrichment(BaseModel):
    """What all enrichers found about a track."""

    status: EnrichmentStatus = Field(
        EnrichmentStatus.NONE,
        description="`failed` if an enricher failed; the track is ready all the same.",
    )
    outcomes: list[EnricherOutcome] = Field(default_factory=list)


class EnrichmentRequest(BaseModel):
    """Which tracks to enrich."""

    track_ids: list[Annotated[str, Field(min_length=1, max_length=64)]] | None = Field(
        None,
        min_length=1,
        max_length=MAX_ASKED,
        description="Ids of tracks; null for all that lack a result of an enricher.",
    )


class UnenrichedTrack(Record):
    """A track for which an enricher failed."""

    track_id: str
    title: str
    enricher: str
    error: Failure


class EnrichmentRun(Task):
    """State and progress of a run of the enrichers."""

    n_tracks: int | None = Field(None, description="Tracks of this run; null before it began.")
    n_done: int = 0
    n_failed: int = Field(0, description="Tracks for which an enricher failed.")
    failed: list[UnenrichedTrack] = Field(
        default_factory=list, description=f"The first {MAX_FAILED} failures."
    )


class EnrichmentRunRecord(EnrichmentRun, TaskRecord):
    """A run as it is kept; ``track_ids`` None: all tracks that lack a result."""

    track_ids: list[str] | None = None


class EnrichmentRuns(BaseModel):
    """The last runs, newest first."""

    runs: list[EnrichmentRun]
