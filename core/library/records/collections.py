"""Collections on disk: few and small, so they need no tables."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from core.artifacts.job_ids import is_job_id, new_job_id
from core.audio.tagging.tags import clean_text
from core.errors import CollectionNotFound, InvalidOption
from core.library.catalogue.query import check_filter
from core.library.records.record import CollectionRecord
from core.library.records.store import RecordStore
from core.system.clock import now
from stemcrate.schemas.collections import CollectionChange, CollectionRequest


class CollectionStore:
    """The collections of a library. Safe to use from several threads and processes."""

    def __init__(
        self, records: RecordStore, lock: Callable[[str], AbstractContextManager[None]]
    ) -> None:
        self._records = records
        self._lock = lock

    def create(self, request: CollectionRequest) -> CollectionRecord:
        """Create a collection.

        Raises `InvalidOption` for a name without printable characters, and for an invalid query.
        """
        if request.query is not None:
            check_filter(request.query)
        record = CollectionRecord(
            id=new_job_id(),
            name=_clean_name(request.name),
            created_at=now(),
            track_ids=list(dict.fromkeys(request.tracks)),
            query=request.query,
        )
        with self._writing():
            self._records.write_collection(record)
        return record

    def all(self) -> list[CollectionRecord]:
        """Return every collection, by name."""
        return sorted(self._records.collections(), key=lambda c: (c.name.casefold(), c.id))

    def get(self, collection_id: str) -> CollectionRecord:
        """Return a collection. Raises `CollectionNotFound`."""
        is_known = is_job_id(collection_id)
        record = self._records.read_collection(collection_id) if is_known else None
        if record is None:
            raise CollectionNotFound(
                f"There is no collection '{collection_id[:100]}'.",
                hint="GET /library/collections lists the collections that exist.",
            )
        return record

    def change(self, collection_id: str, change: CollectionChange) -> CollectionRecord:
        """Change a collection.

        Raises `CollectionNotFound`, and `InvalidOption` for what does not fit its kind.
        """
        with self._writing():
            record = self.get(collection_id)
            _check_kind(record, change)
            if change.name is not None:
                record.name = _clean_name(change.name)
            if change.query is not None:
                check_filter(change.query)
                record.query = change.query
            removed = set(change.remove)
            kept = dict.fromkeys([*record.track_ids, *change.add])
            record.track_ids = [track_id for track_id in kept if track_id not in removed]
            self._records.write_collection(record)
            return record

    def delete(self, collection_id: str) -> None:
        """Remove a collection; its tracks are kept. Raises `CollectionNotFound`."""
        with self._writing():
            self._records.remove_collection(self.get(collection_id).id)

    def follow(self, track_id: str, successor_id: str) -> None:
        """Replace a track by its successor in every collection."""
        with self._writing():
            for record in self._records.collections():
                if track_id in record.track_ids:
                    ids = [successor_id if i == track_id else i for i in record.track_ids]
                    record.track_ids = list(dict.fromkeys(ids))
                    self._records.write_collection(record)

    def _writing(self) -> AbstractContextManager[None]:
        return self._lock("collections")


def _clean_name(name: str) -> str:
    shown = clean_text(name)
    if shown is None:
        raise InvalidOption("A collection needs a name.", hint="Give it one.", field="name")
    return shown


def _check_kind(record: CollectionRecord, change: CollectionChange) -> None:
    if record.query is not None and (change.add or change.remove):
        raise InvalidOption(
            f"'{record.name}' is a smart collection: it finds its tracks by itself.",
            hint="Change its query, or make a collection of tracks.",
            field="add" if change.add else "remove",
        )
    if record.query is None and change.query is not None:
        raise InvalidOption(
            f"'{record.name}' holds tracks, not a query.",
            hint="Make a smart collection of the query.",
            field="query",
        )
