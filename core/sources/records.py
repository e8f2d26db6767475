"""Ingests on disk: what is asked for, and how far it has come.

ingests/{id}.json          state and counts
ingests/tracks/{id}.json   the tracks with their outcomes, a list as JSON
"""

from core.artifacts.tasks import TaskStore
from core.errors import IngestNotFound
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
        return IngestManifest.model_validate_json(
            self._documents.read(_tracks_name(id)) or b""
        ).tracks

    def write_tracks(self, id: str, tracks: list[IngestedTrack]) -> None:
        """Write the tracks of an ingest. Raises `StorageFull`."""
        text = IngestManifest(tracks=tracks).model_dump_json(exclude_none=True)
        self._documents.write(_tracks_name(id), text.encode())

    def _discard(self, id: str) -> None:
        self._documents.remove(_tracks_name(id))


def _tracks_name(id: str) -> str:
    return f"ingests/tracks/{id}.json"
