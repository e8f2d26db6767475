"""The records on disk, from which the database can be rebuilt.

library/tracks/{first two of the id}/{id}.json
library/playlists/{id}.json
library/collections/{id}.json
library/jobs/{id}.json                                   jobs that added tracks
library/covers/{first two of the SHA-256}/{SHA-256}      JPEG or PNG
library/covers/{first two of the SHA-256}/{SHA-256}.webp small, see `core.listening.thumbnails`
"""

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TypeVar

from pydantic import ValidationError

from core.artifacts.documents import documents_of
from core.audio.tagging.tags import Cover
from core.library.records.record import (
    CollectionRecord,
    CoverReference,
    JobEntry,
    LibraryRecord,
    PlaylistRecord,
)
from core.system.atomic import write_atomically
from core.system.homes import home_name, home_of
from core.system.storage import Storage
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.record import Record

logger = logging.getLogger(__name__)
R = TypeVar("R", bound=Record)


class RecordStore:
    """Records of one owner; each is whole or absent."""

    def __init__(self, place: Path | Storage, owner: str = LOCAL) -> None:
        storage = Storage.at(place)
        self._documents = documents_of(storage)
        self._home = home_of(storage.data_dir, owner)
        self._library = f"{home_name(owner)}library"

    def write_track(self, record: LibraryRecord) -> None:
        """Write a track's record. Raises `StorageFull`."""
        self._write(self._track_name(record.id), record)

    def read_track(self, track_id: str) -> LibraryRecord | None:
        """Read a track's record; None if it is missing or damaged."""
        return self._read(self._track_name(track_id), LibraryRecord)

    def remove_track(self, track_id: str) -> None:
        """Remove a track's record, if there is one."""
        self._documents.remove(self._track_name(track_id))

    def tracks(self) -> Iterator[LibraryRecord]:
        """Read every track's record; a damaged one is logged and left out."""
        yield from self._read_all("tracks", LibraryRecord)

    def write_playlist(self, record: PlaylistRecord) -> None:
        """Write a playlist's record. Raises `StorageFull`."""
        self._write(self._playlist_name(record.id), record)

    def read_playlist(self, playlist_id: str) -> PlaylistRecord | None:
        """Read a playlist's record; None if it is missing or damaged."""
        return self._read(self._playlist_name(playlist_id), PlaylistRecord)

    def remove_playlist(self, playlist_id: str) -> None:
        """Remove a playlist's record, if there is one."""
        self._documents.remove(self._playlist_name(playlist_id))

    def playlists(self) -> Iterator[PlaylistRecord]:
        """Read every playlist's record; a damaged one is logged and left out."""
        yield from self._read_all("playlists", PlaylistRecord)

    def write_collection(self, record: CollectionRecord) -> None:
        """Write a collection's record. Raises `StorageFull`."""
        self._write(self._collection_name(record.id), record)

    def read_collection(self, collection_id: str) -> CollectionRecord | None:
        """Read a collection's record; None if it is missing or damaged."""
        return self._read(self._collection_name(collection_id), CollectionRecord)

    def remove_collection(self, collection_id: str) -> None:
        """Remove a collection's record, if there is one."""
        self._documents.remove(self._collection_name(collection_id))

    def collections(self) -> Iterator[CollectionRecord]:
        """Read every collection's record; a damaged one is logged and left out."""
        yield from self._read_all("collections", CollectionRecord)

    def write_job(self, entry: JobEntry) -> None:
        """Record which tracks a job adds. Raises `StorageFull`."""
        self._write(self._job_name(entry.job_id), entry)

    def read_job(self, job_id: str) -> JobEntry | None:
        """Read which tracks a job added; None if there is no note."""
        return self._read(self._job_name(job_id), JobEntry)

    def remove_job(self, job_id: str) -> None:
        """Remove the note of a job, if there is one."""
        self._documents.remove(self._job_name(job_id))

    def job_ids(self) -> set[str]:
        """List the recorded jobs."""
        return {PurePath(name).stem for name in self._names("jobs")}

    def keep_cover(self, cover: Cover) -> CoverReference:
        """Store a cover; tracks share equal covers."""
        reference = CoverReference(sha256=hashlib.sha256(cover.data).hexdigest(), mime=cover.mime)
        name = self._cover_name(reference)
        if self._documents.touched_at(name) is None:
            self._documents.write(name, cover.data)
        return reference

    def cover_path(self, cover: CoverReference) -> Path:
        """Return the path of a cover, copied to this host where it is not there."""
        path = self._home / "library" / self._cover_name(cover).partition("library/")[2]
        if not path.exists():
            data = self._documents.read(self._cover_name(cover))
            if data is not None:
                write_atomically(path, data)
        return path

    def _write(self, name: str, record: Record) -> None:
        self._documents.write(name, record.model_dump_json().encode())

    def _read_all(self, folder: str, kind: type[R]) -> Iterator[R]:
        for name in self._names(folder):
            if (record := self._read(name, kind)) is not None:
                yield record

    def _read(self, name: str, kind: type[R]) -> R | None:
        data = self._documents.read(name)
        try:
            return None if data is None else kind.model_validate_json(data)
        except ValidationError as error:
            logger.warning("%s is damaged and left out: %s", name, error)
            return None

    def _names(self, folder: str) -> list[str]:
        names = self._documents.names(f"{self._library}/{folder}")
        return [name for name in names if name.endswith(".json")]

    def _track_name(self, track_id: str) -> str:
        return f"{self._library}/tracks/{track_id[:2]}/{track_id}.json"

    def _job_name(self, job_id: str) -> str:
        return f"{self._library}/jobs/{job_id}.json"

    def _collection_name(self, collection_id: str) -> str:
        return f"{self._library}/collections/{collection_id}.json"

    def _playlist_name(self, playlist_id: str) -> str:
        return f"{self._library}/playlists/{playlist_id}.json"

    def _cover_name(self, cover: CoverReference) -> str:
        return f"{self._library}/covers/{cover.sha256[:2]}/{cover.sha256}"
