"""Collections with the number of their tracks."""

from core.library.library import Library
from core.library.records.record import CollectionRecord
from stemcrate.schemas.collections import Collection
from stemcrate.schemas.search import TrackSearch


def describe_collection(library: Library, record: CollectionRecord) -> Collection:
    """Return a collection with the number of its tracks that are in the library."""
    return Collection(
        id=record.id,
        name=record.name,
        created_at=record.created_at,
        query=record.query,
        n_tracks=library.count(TrackSearch(collection=record.id)),
    )
