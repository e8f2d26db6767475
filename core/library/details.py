"""All that the library knows of a track, in one view."""

from core.library.corrections.apply import correct_tags, find_changes
from core.library.corrections.record import CorrectionRecord
from core.library.corrections.records import correct_record, found_facts, version_of
from core.library.library import Library
from core.library.records.record import LibraryRecord
from stemcrate.schemas.corrections import CorrectionsView
from stemcrate.schemas.library import TrackDetails
from stemcrate.schemas.tags import TextTags


def describe_track(library: Library, track_id: str) -> TrackDetails:
    """Return all that is known of a track, with its corrections. Raises `TrackNotFound`.

    Paths of its files are not included.
    """
    summary = library.summary(track_id)
    found = library.record(track_id)
    made = library.corrections(track_id)
    record = correct_record(found, made.corrections)
    return TrackDetails(
        **summary.model_dump(exclude={"paths"}),
        name=record.name,
        bytes=record.bytes,
        n_files=len(record.files),
        sample_rate=record.sample_rate,
        n_channels=record.n_channels,
        bit_depth=record.bit_depth,
        codec=record.codec,
        container=record.container,
        tags=record.tags,
        facts=record.facts,
        jobs=[job.job_id for job in record.jobs],
        corrections=_describe_corrections(found, record, made),
        enrichment=library.enrichment(track_id).view(),
        version=version_of(found, made),
    )


def _describe_corrections(
    found: LibraryRecord, corrected: LibraryRecord, made: CorrectionRecord
) -> CorrectionsView:
    tags = {name: getattr(found.tags, name) for name in correct_tags(made.corrections)}
    return CorrectionsView(
        values=made.corrections,
        corrected_at=made.corrected_at,
        analysed=find_changes(found_facts(found), corrected.facts),
        tags=TextTags(**tags),
        n_undo=len(made.history),
    )
