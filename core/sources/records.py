"""Ingests on disk: what is asked for, and how far it has come.

ingests/{id}.json          state and counts
ingests/tracks/{id}.json   the tracks with their outcomes, a list as JSON
"""

from pathlib import Path

from core.artifacts.tasks import TaskStore
from core.errors import IngestNotFound
from core.system.atomic import write_atomically
from stemcrate.schemas.ingests import IngestedTrack, IngestManifest, IngestRecord


class IngestStore(TaskStore[IngestRecord]):
    """Ingests. Safe to use from several threads and processes."""

    schema = IngestRecord
    folder = "ingests"
    lock = "ingests"
    listed_at = "GET /ingest"
    missing = IngestNotFound

    def tracks(self, id: str) -> list[IngestedTrack]:
        """Read the tracks of an ingest with what became of them. Raises `IngestNotFound`."""
        self.load(id)
        return IngestManifest.model_validate_json(self._tracks_path(id).read_bytes()).tracks

    def write_tracks(self, id: str, tracks: list[IngestedTrack]) -> None:
        """Write the tracks of an ingest. Raises `StorageFull`."""
        text = IngestManifest(tracks=tracks).model_dump_json(exclude_none=True)
        write_atomically(self._tracks_path(id), text.encode())

    def _discard(self, id: str) -> None:
        self._tracks_path(id).unlink(missing_ok=True)

    def _tracks_path(self, id: str) -> Path:
        return self._folder / "tracks" / f"{id}.json"
