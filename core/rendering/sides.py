"""The two tracks of a transition: their facts, and the files that their sound comes from."""

from dataclasses import dataclass
from pathlib import Path

from core.artifacts.store import JobStore
from core.errors import ArtefactNotFound
from core.library.library import Library
from core.library.records.record import LibraryRecord
from core.library.stems import find_separation, find_unchanged, is_upload
from core.rendering.sources import (
    LaneFile,
    find_job_track,
    find_outputs,
    require_files,
    stem_labels,
)
from stemcrate.schemas.facts import MIXTURE, TrackFacts
from stemcrate.schemas.manifest import TrackRecord
from stemcrate.schemas.renders import RenderTrack

_ANY_FORMAT = "file"


@dataclass(frozen=True, slots=True)
class Side:
    """One track of a transition; ``files`` are its stems, or its recording as ``mixture``."""

    title: str
    artist: str | None
    facts: TrackFacts
    files: tuple[LaneFile, ...]
    job_ids: tuple[str, ...]
    track_ids: tuple[str, ...] = ()

    @property
    def stems(self) -> tuple[str, ...]:
        """The labels of its stems."""
        return tuple(file.label for file in self.files if file.label != MIXTURE)


def find_side(store: JobStore, library: Library, wanted: RenderTrack) -> Side:
    """Find a track's facts and files.

    Facts are those of the library where it knows the recording: they may be newer than the job's.

    Raises
    ------
    JobNotFound, JobNotFinished, InvalidOption : as `core.rendering.sources.find_job_track`.
    TrackNotFound : the library has no such track.
    ArtefactNotFound : neither stems nor the recording exist any more.
    """
    if wanted.track_id is not None:
        known = library.record(wanted.track_id)
        return _from_library(store, library.find_corrected(known.id) or known)
    assert wanted.job_id is not None
    track = find_job_track(store, wanted.job_id, wanted.track_index)
    record = library.find_corrected(track.source.sha256)
    facts = track.analysis.of_recording() if record is None else record.facts
    return _from_job(store, wanted.job_id, track, _complete(facts, track.source.duration_s))


def _complete(facts: TrackFacts, duration_s: float | None) -> TrackFacts:
    """Add the duration, which records keep beside the facts."""
    return facts.model_copy(update={"duration_s": facts.duration_s or duration_s})


def _from_library(store: JobStore, record: LibraryRecord) -> Side:
    facts = _complete(record.facts, record.duration_s)
    found = find_separation(store, record)
    if found is not None:
        files = _stems(store, found.job_id, found.track)
        return Side(record.title, record.artist, facts, files, (found.job_id,), (record.id,))
    file = find_unchanged(record, store)
    if file is None:
        raise ArtefactNotFound(
            f"The file of '{record.title}' was moved, changed or deleted.",
            hint="Add it again where it is now: 'stemcrate library add'.",
        )
    path = Path(file.path)
    recording = LaneFile(MIXTURE, path, record.id, _ANY_FORMAT, None)
    job_ids = tuple(job.job_id for job in record.jobs) if is_upload(file, record.id) else ()
    return Side(record.title, record.artist, facts, (recording,), job_ids, (record.id,))


def _from_job(store: JobStore, job_id: str, track: TrackRecord, facts: TrackFacts) -> Side:
    title, artist = track.analysis.title or track.source.name, track.analysis.artist
    if stem_labels(track):
        return Side(title, artist, facts, _stems(store, job_id, track), (job_id,))
    path = store.upload_path(track.source.sha256)
    recording = LaneFile(MIXTURE, path, track.source.sha256, _ANY_FORMAT, None)
    require_files(store, [recording])
    return Side(title, artist, facts, (recording,), (job_id,))


def _stems(store: JobStore, job_id: str, track: TrackRecord) -> tuple[LaneFile, ...]:
    outputs = find_outputs(store, job_id, track)
    files = [outputs[label] for label in stem_labels(track)]
    require_files(store, files)
    return tuple(files)
