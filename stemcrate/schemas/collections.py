"""Collections of the library: tracks that belong together, or a search that is kept."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stemcrate.schemas.search import TrackFilter

EXAMPLE_COLLECTION_ID = "0199b6f0-5c3a-7d2e-9a41-3f8a6c1e7b22"
Name = Annotated[str, Field(min_length=1, max_length=500, examples=["Peak time"])]
Ids = Annotated[list[str], Field(max_length=100_000)]


class KeptFilter(TrackFilter):
    """Which tracks a smart collection holds."""

    model_config = ConfigDict(extra="forbid")


class CollectionRequest(BaseModel):
    """A new collection: of tracks, or with `query` a smart one."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    tracks: Ids = Field([], description="Ids of tracks.")
    query: KeptFilter | None = Field(
        None, description="A smart collection holds every track that matches."
    )

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if self.query is not None and self.tracks:
            raise ValueError("a smart collection finds its tracks by itself; leave out one of them")
        return self


class CollectionChange(BaseModel):
    """A change of a collection: what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    add: Ids = Field([], description="Ids of tracks to add; those that it holds stay in place.")
    remove: Ids = Field([], description="Ids of tracks to remove.")
    query: KeptFilter | None = Field(None, description="What a smart collection holds from now on.")


class Collection(BaseModel):
    """A collection."""

    id: str = Field(examples=[EXAMPLE_COLLECTION_ID])
    name: str
    created_at: datetime
    query: KeptFilter | None = Field(description="Of a smart collection; null: it holds tracks.")
    n_tracks: int = Field(description="Number of its tracks in the library.")


class Collections(BaseModel):
    """All collections, by name."""

    collections: list[Collection]
