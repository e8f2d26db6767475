"""Uploads into the library: those that are new to it are analysed by a job of their own."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.artifacts.store import JobStore
from core.artifacts.uploads import Upload
from core.jobs.service import JobService
from core.library.library import Library
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.options import NO_MODEL, OPTIONAL_STAGES, ProcessingOptions

ANALYSIS = ProcessingOptions(model=NO_MODEL, stages=OPTIONAL_STAGES)


@dataclass(frozen=True, slots=True)
class Addition:
    """Uploads of one request, each file once: ids that the library has, and those that are new."""

    known: tuple[str, ...]
    new: tuple[Upload, ...]


def sort_uploads(library: Library, uploads: Sequence[Upload]) -> Addition:
    """Find out which uploads the library has already, and still has a file of."""
    by_id = {upload.sha256: upload for upload in uploads}
    known = tuple(s.id for s in library.summaries(list(by_id)) if not s.is_missing)
    return Addition(known, tuple(u for track_id, u in by_id.items() if track_id not in known))


def submit_addition(
    jobs: JobService,
    store: JobStore,
    addition: Addition,
    refused: Collection[Upload],
    job_id: str,
) -> JobState | None:
    """Queue a job for the new uploads that were not refused; release the bytes of all others.

    Returns the job's state, None where no upload is left. Raises `DatabaseUnavailable`,
    `StorageFull`.
    """
    taken = [upload for upload in addition.new if upload not in refused]
    for track_id in (*addition.known, *(upload.sha256 for upload in refused)):
        store.release_upload(track_id, job_id)
    return jobs.submit(taken, ANALYSIS, job_id).state if taken else None
