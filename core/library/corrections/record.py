"""The corrections of a track on disk, apart from its record, which the analysis writes.

library/corrections/{first two of the id}/{id}.json
"""

import logging
from datetime import datetime
from pathlib import Path

from pydantic import Field, ValidationError

from core.artifacts.documents import documents_of
from core.system.homes import home_name
from core.system.storage import Storage
from stemcrate.schemas.corrections import Corrections
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.record import Record

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 1
MAX_HISTORY = 100
"""Changes that can be undone one by one; older ones are undone field by field."""


class EarlierCorrections(Record):
    """The corrections before a change; ``replaced_at`` is the time of the change."""

    replaced_at: datetime
    corrections: Corrections
    corrected_at: dict[str, datetime]


class CorrectionRecord(Record):
    """The corrections of a track, when each was made, and those before, oldest first."""

    schema_version: int = SCHEMA_VERSION
    track_id: str = Field(pattern=r"^[0-9a-f]{64}$")
    corrections: Corrections = Corrections()
    corrected_at: dict[str, datetime] = Field(default_factory=dict)
    history: list[EarlierCorrections] = Field(default_factory=list)

    def replace(self, corrections: Corrections, at: datetime) -> "CorrectionRecord":
        """Return a record with other corrections, which remembers these."""
        if corrections == self.corrections:
            return self
        before = self.corrections
        corrected_at = {
            name: self.corrected_at.get(name, at)
            if getattr(before, name) == getattr(corrections, name)
            else at
            for name in corrected_fields(corrections)
        }
        earlier = EarlierCorrections(
            replaced_at=at, corrections=before, corrected_at=self.corrected_at
        )
        return CorrectionRecord(
            track_id=self.track_id,
            corrections=corrections,
            corrected_at=corrected_at,
            history=[*self.history, earlier][-MAX_HISTORY:],
        )

    def step_back(self) -> "CorrectionRecord":
        """Return the record before its last change; without a history, itself."""
        if not self.history:
            return self
        *older, last = self.history
        return CorrectionRecord(
            track_id=self.track_id,
            corrections=last.corrections,
            corrected_at=last.corrected_at,
            history=older,
        )


def corrected_fields(corrections: Corrections) -> list[str]:
    """List the fields that are corrected, in the order of the schema."""
    return [name for name in Corrections.model_fields if getattr(corrections, name) is not None]


class CorrectionStore:
    """The corrections of one owner; each record is whole or absent."""

    def __init__(self, place: Path | Storage, owner: str = LOCAL) -> None:
        self._documents = documents_of(Storage.at(place))
        self._folder = f"{home_name(owner)}library/corrections"

    def read(self, track_id: str) -> CorrectionRecord:
        """Return the corrections of a track, also of one that was never in the library.

        A record that cannot be read counts as no corrections; it is logged.
        """
        data = self._documents.read(self._name(track_id))
        try:
            if data is not None:
                return CorrectionRecord.model_validate_json(data)
        except ValidationError as error:
            logger.warning("the corrections of %s are unreadable: %s", track_id, error)
        return CorrectionRecord(track_id=track_id)

    def write(self, record: CorrectionRecord) -> None:
        """Write the corrections of a track; a record that cannot be read is kept beside them.

        Raises `StorageFull`.
        """
        name = self._name(record.track_id)
        before = self._documents.read(name)
        try:
            if before is not None:
                CorrectionRecord.model_validate_json(before)
        except ValidationError:
            self._documents.write(f"{name.removesuffix('.json')}.unreadable", before or b"")
        self._documents.write(name, record.model_dump_json().encode())

    def follow(self, track_id: str, successor_id: str) -> None:
        """Copy the corrections of a track to its successor, unless that has its own."""
        record = self.read(track_id)
        has_own = self._documents.touched_at(self._name(successor_id)) is not None
        if record.corrections != Corrections() and not has_own:
            self.write(record.model_copy(update={"track_id": successor_id}))

    def _name(self, track_id: str) -> str:
        return f"{self._folder}/{track_id[:2]}/{track_id}.json"
