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
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from core.audio.tagging.tags import Cover
from core.library.records.record import (
    CollectionRecord,
    CoverReference,
    JobEntry,
    LibraryRecord,
    PlaylistRecord,
)
from core.system.atomic import write_atomically
from stemcrate.schemas.record import Record

logger = logging.getLogger(__name__)
R = TypeVar("R", bound=Record)


class RecordStore:
    """Records below one data folder; every file is whole or absent."""

    def __init__(self, data_dir: Path) -> None:
        self._tracks = data_dir / "library" / "tracks"
        self._playlists = data_dir / "library" / "playlists"
        self._collections = data_dir / "library" / "collections"
        self._jobs = data_dir / "library" / "jobs"
        self._covers = data_dir / "library" / "covers"

    def write_track(self, record: LibraryRecord) -> None:
        """Write a track's record. Raises `StorageFull`."""
        write_atomically(self._track_path(record.id), record.model_dump_json().encode())

    def read_track(self, track_id: str) -> LibraryRecord | None:
        """Read a track's record; None if it is missing or damaged."""
        return _read(self._track_path(track_id), LibraryRecord)

    def remove_track(self, track_id: str) -> None:
        """Remove a track's record, if there is one."""
        self._track_path(track_id).unlink(missing_ok=True)

    def tracks(self) -> Iterator[LibraryRecord]:
        """Read every track's record; a damaged one is logged and left out."""
        yield from _read_all(self._tracks, "*/*.json", LibraryRecord)

    def write_playlist(self, record: PlaylistRecord) -> None:
        """Write a playlist's record. Raises `StorageFull`."""
        write_atomically(self._playlist_path(record.id), record.model_dump_json().encode())

    def read_playlist(self, playlist_id: str) -> PlaylistRecord | None:
        """Read a playlist's record; None if it is missing or damaged."""
        return _read(self._playlist_path(playlist_id), PlaylistRecord)

    def remove_playlist(self, playlist_id: str) -> None:
        """Remove a playlist's record, if there is one."""
        self._playlist_path(playlist_id).unlink(missing_ok=True)

    def playlists(self) -> Iterator[PlaylistRecord]:
        """Read every playlist's record; a damaged one is logged and left out."""
        yield from _read_all(self._playlists, "*.json", PlaylistRecord)

    def write_collection(self, record: CollectionRecord) -> None:
        """Write a collection's record. Raises `StorageFull`."""
        write_atomically(self._collection_path(record.id), record.model_dump_json().encode())

    def read_collection(self, collection_id: str) -> CollectionRecord | None:
        """Read a collection's record; None if it is missing or damaged."""
        return _read(self._collection_path(collection_id), CollectionRecord)

    def remove_collection(self, collection_id: str) -> None:
        """Remove a collection's record, if there is one."""
        self._collection_path(collection_id).unlink(missing_ok=True)

    def collections(self) -> Iterator[CollectionRecord]:
        """Read every collection's record; a damaged one is logged and left out."""
        yield from _read_all(self._collections, "*.json", CollectionRecord)

    def write_job(self, entry: JobEntry) -> None:
        """Record which tracks a job adds. Raises `StorageFull`."""
        write_atomically(self._job_path(entry.job_id), entry.model_dump_json().encode())

    def read_job(self, job_id: str) -> JobEntry | None:
        """Read which tracks a job added; None if there is no note."""
        return _read(self._job_path(job_id), JobEntry)

    def remove_job(self, job_id: str) -> None:
        """Remove the note of a job, if there is one."""
        self._job_path(job_id).unlink(missing_ok=True)

    def job_ids(self) -> set[str]:
        """List the recorded jobs."""
        return {path.stem for path in self._jobs.glob("[!.]*.json")}

    def keep_cover(self, cover: Cover) -> CoverReference:
        """Store a cover; tracks share equal covers."""
        reference = CoverReference(sha256=hashlib.sha256(cover.data).hexdigest(), mime=cover.mime)
        path = self.cover_path(reference)
        if not path.exists():
            write_atomically(path, cover.data)
        return reference

    def cover_path(self, cover: CoverReference) -> Path:
        """Return the path of a cover."""
        return self._covers / cover.sha256[:2] / cover.sha256

    def _track_path(self, track_id: str) -> Path:
        return self._tracks / track_id[:2] / f"{track_id}.json"

    def _job_path(self, job_id: str) -> Path:
        return self._jobs / f"{job_id}.json"

    def _collection_path(self, collection_id: str) -> Path:
        return self._collections / f"{collection_id}.json"

    def _playlist_path(self, playlist_id: str) -> Path:
        return self._playlists / f"{playlist_id}.json"


def _read_all(folder: Path, pattern: str, kind: type[R]) -> Iterator[R]:
    for path in sorted(folder.glob(pattern)):
        if not path.name.startswith(".") and (record := _read(path, kind)) is not None:
            yield record


def _read(path: Path, kind: type[R]) -> R | None:
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        logger.warning("%s is damaged and left out: %s", path, error)
        return None
