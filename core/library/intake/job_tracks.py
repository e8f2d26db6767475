"""Adds the tracks of jobs to the library, with the facts of their job.

Manifests are records, too: the library can be rebuilt from them and its own records.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.analysis.version import PARTS
from core.artifacts.store import JobStore
from core.errors import JobNotFinished, StemcrateError
from core.library.intake.facts import FileIdentity, find_identity
from core.library.intake.importing import ImportReport, refer_to
from core.library.intake.listing import Refusal
from core.library.intake.uploads import keep_upload
from core.library.library import Library
from core.library.records.record import (
    FingerprintRecord,
    JobEntry,
    JobReference,
    LibraryRecord,
)
from core.system.task_pool import TaskPool
from stemcrate.schemas.manifest import JobState, ProcessingManifest, StageState, TrackRecord


@dataclass(frozen=True, slots=True)
class _Task:
    job: ProcessingManifest
    track: TrackRecord
    path: Path


def enter_job(library: Library, store: JobStore, job_id: str) -> ImportReport:
    """Add the tracks of an ended job, except failed ones. Idempotent.

    Raises `JobNotFound`, `JobNotFinished`.
    """
    manifest = store.load(job_id)
    if not manifest.state.is_final:
        raise JobNotFinished(f"Job '{job_id}' is {manifest.state}.", hint="Wait for its end.")
    return _enter(library, store, [manifest], n_processes=1)


def forget_job(library: Library, store: JobStore, job_id: str) -> None:
    """Remove a deleted job from the library, with the tracks that only it added."""
    entry = library.noted_job(job_id)
    if entry is not None:
        library.forget_jobs(
            lambda other: other == job_id,
            lambda track_id: store.upload_path(track_id).resolve(),
            track_ids=entry.track_ids,
        )


def reindex(library: Library, store: JobStore, *, n_processes: int) -> ImportReport:
    """Rebuild the catalogue from the library's records and the manifests of all jobs.

    A track that only a deleted job added is removed.
    """
    existing = set(store.job_ids())
    library.forget_jobs(
        lambda job_id: job_id not in existing,
        lambda track_id: store.upload_path(track_id).resolve(),
    )
    library.rebuild()
    manifests = (store.load_if_readable(job_id) for job_id in reversed(store.job_ids()))
    return _enter(library, store, (m for m in manifests if m is not None), n_processes)


def _enter(
    library: Library, store: JobStore, jobs: Iterable[ProcessingManifest], n_processes: int
) -> ImportReport:
    report = ImportReport()
    entries: list[JobEntry] = []

    def tasks() -> Iterator[_Task]:
        """Yield tracks whose audio has to be decoded; handle the others here."""
        for job in jobs:
            tracks = [track for track in job.tracks if track.state == JobState.COMPLETED]
            if not tracks:
                continue
            before = library.noted_job(job.job_id)
            is_entered = before is not None and before.is_complete
            track_ids = [track.source.sha256 for track in tracks]
            entries.append(JobEntry(job_id=job.job_id, track_ids=track_ids))
            library.note_job(entries[-1])
            for track in tracks:
                task = _Task(job, track, store.upload_path(track.source.sha256).resolve())
                known = library.find_record(track.source.sha256)
                if known is None and task.path.is_file():
                    yield task
                elif known is None:
                    _put(library, store, task, _make_record(task), report.added)
                elif is_entered and any(other.job_id == job.job_id for other in known.jobs):
                    report.known.append(known.id)
                else:
                    # Added again, or partly added: recorded, but perhaps not in the catalogue.
                    _put(library, store, task, known, report.known)

    for task, outcome in TaskPool(_find_identity, n_processes).run(tasks()):
        if isinstance(outcome, StemcrateError):
            report.refused.append(Refusal(task.track.source.name, outcome))
        else:
            # Another job may have added the same track meanwhile.
            known = library.find_record(task.track.source.sha256)
            entered = report.known if known else report.added
            record = known or _describe(library, _make_record(task), outcome)
            _put(library, store, task, record, entered)
    for entry in entries:
        library.note_job(entry.model_copy(update={"is_complete": True}))
    return report


def _put(
    library: Library, store: JobStore, task: _Task, record: LibraryRecord, entered: list[str]
) -> None:
    """Add a record with the job's facts; those of the newest job count.

    A job that only analyses was made for the library: its upload stays when the job is deleted.
    """
    track = task.track
    record.take_facts(track.analysis.of_recording(), _analysis_version(track, record))
    record.jobs = [
        *(job for job in record.jobs if job.job_id != task.job.job_id),
        JobReference(
            job_id=task.job.job_id,
            track_index=track.index,
            stems=sorted({a.label for a in track.artefacts if a.role == "stem"}),
        ),
    ]
    if task.path.is_file() and all(file.path != str(task.path) for file in record.files):
        record.files = [*record.files, refer_to(task.path)]
    if not task.job.options.separates and task.path.is_file():
        keep_upload(store, record.id)
    library.put(record)
    entered.append(record.id)


def _make_record(task: _Task) -> LibraryRecord:
    source = task.track.source
    return LibraryRecord(
        id=source.sha256,
        name=source.name,
        title=task.track.analysis.title or source.name,
        artist=task.track.analysis.artist,
        added_at=task.job.created_at,
        bytes=source.bytes,
        duration_s=source.duration_s,
        sample_rate=source.sample_rate,
        n_channels=source.n_channels,
        bit_depth=source.bit_depth,
        codec=source.codec,
        container=source.container,
        tags=source.tags,
    )


def _analysis_version(track: TrackRecord, record: LibraryRecord) -> str | None:
    """Return the version of all of a record's facts once it has those of a job."""
    made = {r.name: r.version for r in track.stages if r.state == StageState.COMPLETED}
    versions = {made.get(part, record.analysis_version) for part in PARTS}
    return versions.pop() if len(versions) == 1 else None


def _describe(library: Library, record: LibraryRecord, identity: FileIdentity) -> LibraryRecord:
    """Add the file's fingerprint, packet hash and cover."""
    record.packet_sha256 = identity.packet_sha256
    record.fingerprint = FingerprintRecord.of(identity.fingerprint)
    record.cover = library.keep_cover(identity.cover) if identity.cover is not None else None
    return record


def _find_identity(task: _Task) -> FileIdentity:
    return find_identity(task.path, name=task.track.source.name)
