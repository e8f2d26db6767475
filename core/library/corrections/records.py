"""Corrections of the library's records: as readers see them, and which version they saw."""

import hashlib

from core.library.corrections.apply import apply, correct_tags
from core.library.corrections.record import CorrectionRecord
from core.library.records.record import LibraryRecord
from stemcrate.schemas.corrections import Corrections
from stemcrate.schemas.facts import TrackFacts


def found_facts(record: LibraryRecord) -> TrackFacts:
    """Return what was found of a recording, with the title, artist and duration of its record."""
    own = {name: getattr(record, name) for name in ("title", "artist", "duration_s")}
    return record.facts.model_copy(update=own)


def correct_record(record: LibraryRecord, corrections: Corrections) -> LibraryRecord:
    """Return a record as readers see it; never to be written."""
    facts = apply(found_facts(record), corrections)
    return record.model_copy(
        update={
            "title": facts.title,
            "artist": facts.artist,
            "tags": record.tags.model_copy(update=correct_tags(corrections)),
            "facts": facts,
        }
    )


def version_of(record: LibraryRecord, corrections: CorrectionRecord) -> str:
    """Return what changes with the facts, tags and corrections of a track."""
    digest = hashlib.sha256(corrections.model_dump_json().encode())
    digest.update(record.tags.model_dump_json().encode())
    digest.update(found_facts(record).model_dump_json().encode())
    return digest.hexdigest()[:32]
