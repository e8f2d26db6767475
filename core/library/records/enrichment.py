"""What enrichers found about a track, apart from its record, which the analysis writes.

library/enrichment/{first two of the id}/{id}.json
"""

import base64
import logging

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from core.artifacts.documents import documents_of
from core.library.records.record import Base64
from core.system.homes import home_name
from core.system.storage import Storage
from stemcrate.schemas.enrichment import EnricherOutcome, Enrichment, EnrichmentStatus
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.record import Record

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 1
N_SEARCHED_TAGS = 5
SEARCHED_ABOVE = 0.1
"""A track is found by its best tags, if their scores reach this."""


class KeptOutcome(EnricherOutcome):
    """An outcome with its embedding, little-endian float32 in base64."""

    embedding: Base64 | None = None

    def take_embedding(self, vector: NDArray[np.float32] | None) -> None:
        """Keep a vector of shape (n_dimensions,); None: there is none."""
        self.n_dimensions = 0 if vector is None else len(vector)
        self.embedding = (
            None if vector is None else base64.b64encode(vector.astype("<f4").tobytes()).decode()
        )

    def vectors(self) -> dict[str, bytes]:
        """Return what similar tracks are found by, little-endian float32, by its basis.

        The scores of tags are in the order of their names, so that those of a model compare.
        """
        found = {}
        if self.embedding is not None:
            found["sound"] = base64.b64decode(self.embedding)
        if self.tags:
            scores = [tag.score for tag in sorted(self.tags, key=lambda tag: tag.name)]
            found["tags"] = np.array(scores, dtype="<f4").tobytes()
        return found


class EnrichmentRecord(Record):
    """The outcomes of a track, by enricher."""

    schema_version: int = SCHEMA_VERSION
    track_id: str = Field(pattern=r"^[0-9a-f]{64}$")
    outcomes: dict[str, KeptOutcome] = Field(default_factory=dict)

    def view(self) -> Enrichment:
        """Return what is told of it: all but the embeddings."""
        states = {outcome.status for outcome in self.outcomes.values()}
        failed = EnrichmentStatus.FAILED in states
        done = EnrichmentStatus.DONE if states else EnrichmentStatus.NONE
        return Enrichment(
            status=EnrichmentStatus.FAILED if failed else done,
            outcomes=[
                EnricherOutcome.model_validate(outcome.model_dump(exclude={"embedding"}))
                for _, outcome in sorted(self.outcomes.items())
            ],
        )

    def searched_tags(self) -> list[str]:
        """List the tags by which the track is found."""
        return [
            tag.name
            for _, outcome in sorted(self.outcomes.items())
            for tag in outcome.tags[:N_SEARCHED_TAGS]
            if tag.score >= SEARCHED_ABOVE
        ]


class EnrichmentStore:
    """The outcomes of one owner's tracks; each record is whole or absent."""

    def __init__(self, storage: Storage, owner: str = LOCAL) -> None:
        self._documents = documents_of(storage)
        self._folder = f"{home_name(owner)}library/enrichment"

    def read(self, track_id: str) -> EnrichmentRecord:
        """Return the outcomes of a track; an unreadable record counts as none, and is logged."""
        data = self._documents.read(self._name(track_id))
        try:
            if data is not None:
                return EnrichmentRecord.model_validate_json(data)
        except ValidationError as error:
            logger.warning("the enrichment of %s is unreadable: %s", track_id, error)
        return EnrichmentRecord(track_id=track_id)

    def write(self, record: EnrichmentRecord) -> None:
        """Write the outcomes of a track. Raises `StorageFull`."""
        self._documents.write(self._name(record.track_id), record.model_dump_json().encode())

    def follow(self, track_id: str, successor_id: str) -> None:
        """Copy the outcomes of a track to its successor, unless that has its own."""
        record = self.read(track_id)
        has_own = self._documents.touched_at(self._name(successor_id)) is not None
        if record.outcomes and not has_own:
            self.write(record.model_copy(update={"track_id": successor_id}))

    def _name(self, track_id: str) -> str:
        return f"{self._folder}/{track_id[:2]}/{track_id}.json"
