"""Adds the tracks of jobs to the library, with the facts of their job.

Manifests are records, too: the library can be rebuilt from them and its own records.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from core.artifacts.store import JobStore
from core.errors import JobNotFinished, JobNotFound, StemcrateError
from core.library.intake.facts import FileIdentity, find_identity
from core.library.intake.importing import ImportReport, refer_to
from core.library.intake.listing import Refusal
from core.library.intake.uploads import is_kept, keep_upload
from core.library.library import Library
from core.library.records.record import (
    FingerprintRecord,
    JobEntry,
    JobReference,
    LibraryRecord,
)
from core.library.stems import is_upload
from core.system.isolation import ProcessLimits
from core.system.task_pool import TaskPool
from stemcrate.schemas.facts import ANALYSIS_STAGES
from stemcrate.schemas.manifest import JobState, ProcessingManifest, StageState, TrackRecord

READ_LIMITS = ProcessLimits(silence_s=600.0, memory_bytes=4_000_000_000)
"""What reading one file may take: a recording of an hour takes half a minute and 300 MB."""


@dataclass(frozen=True, slots=True)
class _Task:
    job: ProcessingManifest
    track: TrackRecord
    path: Path


def enter_job(library: Library, store: JobStore, job_id: str) -> ImportReport:
    """Add the tracks of an ended job of the library's owner, except failed ones. Idempotent.

    Raises `JobNotFound`, `JobNotFinished`.
    """
    manifest = store.owned_by(library.owner).load(job_id)
    if not manifest.state.is_final:
        raise JobNotFinished(f"Job '{job_id}' is {manifest.state}.", hint="Wait for its end.")
    return _JobImport(library, store).run([manifest], n_processes=1)


def add_again(library: Library, job_id: str) -> None:
    """Have the tracks added that a job completes when it is tried again."""
    entry = library.noted_job(job_id)
    if entry is not None and entry.is_complete:
        changed = {"is_complete": False, "added_before": entry.track_ids}
        library.note_job(entry.model_copy(update=changed))


def forget_job(library: Library, store: JobStore, job_id: str) -> None:
    """Remove a deleted job from the library, with the tracks that only it added."""
    entry = library.noted_job(job_id)
    if entry is not None:
        library.forget_jobs(
            lambda other: other == job_id,
            is_kept=lambda track_id: is_kept(store, track_id, library.owner),
            track_ids=entry.track_ids,
        )
        for track_id in entry.track_ids:
            if library.find_record(track_id) is None:
                store.forget_listening(track_id)


def reindex(library: Library, store: JobStore, *, n_processes: int) -> ImportReport:
    """Rebuild the catalogue from the library's records and the manifests of all jobs.

    A track that only a deleted job added is removed.
    """
    store = store.owned_by(library.owner)
    existing = set(store.job_ids())
    library.forget_jobs(
        lambda job_id: job_id not in existing,
        is_kept=lambda track_id: is_kept(store, track_id, library.owner),
    )
    library.rebuild()
    manifests = (store.load_if_readable(job_id) for job_id in reversed(store.job_ids()))
    found = (manifest for manifest in manifests if manifest is not None)
    return _JobImport(library, store).run(found, n_processes)


class _JobImport:
    def __init__(self, library: Library, store: JobStore) -> None:
        self._library = library
        self._store = store
        self._report = ImportReport()
        self._entries: list[tuple[JobEntry, int]] = []
        """Jobs of which tracks are added, and how often each had been tried again."""

    def run(self, jobs: Iterable[ProcessingManifest], n_processes: int) -> ImportReport:
        pool = TaskPool(_find_identity, n_processes, READ_LIMITS)
        for task, outcome in pool.run(self._tasks(jobs)):
            if isinstance(outcome, StemcrateError):
                self._report.refused.append(Refusal(task.track.source.name, outcome))
            else:
                self._add(task, outcome)
        for entry, n_retries in self._entries:
            self._close(entry, n_retries)
        return self._report

    def _close(self, entry: JobEntry, n_retries: int) -> None:
        """Note that all tracks of a job were added, unless it was tried again meanwhile.

        `add_again` comes after the new try: whoever is second here or there sees the other.
        """
        with ExitStack() as stack:
            with suppress(JobNotFound):  # deleted meanwhile: the sweep takes the note back
                current = stack.enter_context(self._store.locked(entry.job_id))
                if current.n_retries != n_retries:
                    later = {"added_before": entry.track_ids}
                    self._library.note_job(entry.model_copy(update=later))
                    return
            self._library.note_job(entry.model_copy(update={"is_complete": True}))

    def _tasks(self, jobs: Iterable[ProcessingManifest]) -> Iterator[_Task]:
        """Yield tracks whose audio has to be decoded; handle the others here."""
        for job in jobs:
            tracks = [track for track in job.tracks if track.state == JobState.COMPLETED]
            if not tracks:
                continue
            before = self._library.noted_job(job.job_id)
            is_entered = before is not None and before.is_complete
            track_ids = [track.source.sha256 for track in tracks]
            earlier = [] if before is None else before.added_before
            entry = JobEntry(job_id=job.job_id, track_ids=track_ids, added_before=earlier)
            self._entries.append((entry, job.n_retries))
            self._library.note_job(entry)
            for track in (t for t in tracks if t.source.sha256 not in earlier):
                path = self._store.upload_path(track.source.sha256).resolve()
                task = _Task(job, track, path)
                if not self._add_unread(task, is_entered=is_entered):
                    yield task

    def _add_unread(self, task: _Task, *, is_entered: bool) -> bool:
        """Add a track whose audio is known or gone; return False if it has to be decoded."""
        known = self._library.find_record(task.track.source.sha256)
        if known is None:
            if task.path.is_file():
                return False
            self._put(task, _make_record(task), self._report.added)
        elif is_entered and any(other.job_id == task.job.job_id for other in known.jobs):
            self._report.known.append(known.id)
        else:
            # Added again, or partly added: recorded, but perhaps not in the catalogue.
            self._put(task, known, self._report.known)
        return True

    def _add(self, task: _Task, identity: FileIdentity) -> None:
        # Another job may have added the same track meanwhile.
        known = self._library.find_record(task.track.source.sha256)
        if known is not None:
            self._put(task, known, self._report.known)
            return
        record = _make_record(task)
        record.packet_sha256 = identity.packet_sha256
        record.fingerprint = FingerprintRecord.of(identity.fingerprint)
        record.cover = self._library.keep_cover(identity.cover) if identity.cover else None
        self._put(task, record, self._report.added)

    def _put(self, task: _Task, record: LibraryRecord, entered: list[str]) -> None:
        """Add a record with the facts of the job; those of the newest job count.

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
        if task.path.is_file() and not any(is_upload(file, record.id) for file in record.files):
            record.files = [*record.files, refer_to(task.path)]
        if not task.job.options.separates and task.path.is_file():
            keep_upload(self._store, record.id, self._library.owner)
        self._library.put(record)
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
    versions = {made.get(part, record.analysis_version) for part in ANALYSIS_STAGES}
    return versions.pop() if len(versions) == 1 else None


def _find_identity(task: _Task) -> FileIdentity:
    return find_identity(task.path, name=task.track.source.name)
