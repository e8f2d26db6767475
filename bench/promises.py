"""Whether an installation kept its promises, as seen from outside: manifests, files and events.

Every accepted track ends with its files, or with a reason that is not our own doing; no finished
stage runs twice; no artefact is missing, or differs from the SHA-256 in its manifest or from what
the same job gives undisturbed.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from core.artifacts.hashing import hash_file
from core.artifacts.store import JobStore
from core.jobs.progress import ProgressLog
from stemcrate.schemas.manifest import (
    JobState,
    ProcessingManifest,
    ProcessingStage,
    StageState,
    TrackRecord,
)

EVENTS = 100_000
"""More than a job has."""
Sources = tuple[str, ...]
"""SHA-256 of the recordings of a job, in order."""
Artefacts = Mapping[str, str]
"""SHA-256 by name."""
StageKey = tuple[str, int, int | None, str]
"""Job, number of the retry, index of the track, name of the stage."""


class FinishedStages:
    """The finished stages of a store's jobs, followed by looks in between."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._attempts: dict[StageKey, int] = {}
        self.repeated: set[StageKey] = set()

    def look(self) -> None:
        """Note what has finished; what had finished before must be as it was."""
        for manifest in manifests(self._store):
            for key, record in _stages(manifest):
                known = self._attempts.get(key)
                is_finished = record.state == StageState.COMPLETED
                if known is not None and (not is_finished or record.attempts != known):
                    self.repeated.add(key)
                elif is_finished:
                    self._attempts[key] = record.attempts


@dataclass(slots=True)
class Verdict:
    """What became of the jobs of one experiment.

    Attributes
    ----------
    n_disturbances : kills, restarts, pauses, …
    failed : number of tracks that failed, by the code of their failure.
    n_retried : jobs that were tried again after a failure that was not our own doing; their tracks
        count as completed, too, if that succeeded.
    n_repeated : finished stages that ran again.
    n_wrong : artefacts that are missing or differ.
    faults : a sentence for each broken promise; empty if all were kept.
    """

    n_disturbances: int = 0
    n_jobs: int = 0
    n_tracks: int = 0
    n_completed: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    n_retried: int = 0
    n_artefacts: int = 0
    n_repeated: int = 0
    n_wrong: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


def check(
    store: JobStore,
    log: ProgressLog,
    accepted: Collection[str],
    finished: FinishedStages,
    undisturbed: Mapping[Sources, Artefacts],
    verdict: Verdict,
) -> None:
    """Add to a verdict what became of the jobs of an installation.

    Parameters
    ----------
    accepted : ids of the jobs that the API accepted; one that it did not answer may be there too.
    undisturbed : what each job gives when nothing happens.
    """
    finished.look()
    found = list(manifests(store))
    for job_id in set(accepted) - {manifest.job_id for manifest in found}:
        verdict.faults.append(f"job {job_id} was accepted and is gone")
    repeated = finished.repeated.union(*(_repeated_by_events(log, m.job_id) for m in found))
    verdict.n_repeated = len(repeated)
    verdict.faults += [
        f"stage {name} of {job_id}, track {index}, ran again after it had finished"
        for job_id, _, index, name in repeated
    ]
    for manifest in found:
        verdict.n_jobs += 1
        if not manifest.state.is_final:
            verdict.faults.append(f"job {manifest.job_id} has not ended")
        for track in manifest.tracks:
            _check_track(manifest.job_id, track, verdict)
        _check_files(store, manifest, undisturbed[sources(manifest)], verdict)


def manifests(store: JobStore) -> Iterator[ProcessingManifest]:
    """Read the manifest of every job."""
    for job_id in store.job_ids():
        if (manifest := store.load_if_readable(job_id)) is not None:
            yield manifest


def sources(manifest: ProcessingManifest) -> Sources:
    return tuple(track.source.sha256 for track in manifest.tracks)


def artefacts(manifest: ProcessingManifest) -> dict[str, str]:
    return {artefact.name: artefact.sha256 for artefact in manifest.all_artefacts()}


def _check_track(job_id: str, track: TrackRecord, verdict: Verdict) -> None:
    verdict.n_tracks += 1
    if track.state == JobState.COMPLETED:
        verdict.n_completed += 1
        return
    code, said = (track.error.code, track.error.message) if track.error else (str(track.state), "")
    verdict.failed[code] += 1
    verdict.faults.append(f"track {track.index} of {job_id} ended as {code}: {said}")


def _check_files(
    store: JobStore, manifest: ProcessingManifest, expected: Artefacts, verdict: Verdict
) -> None:
    """Compare the files of a job with its manifest, and both with the undisturbed job.

    A job of which a track failed lacks its files, and its playlist lists fewer.
    """
    wrong = set()
    for artefact in manifest.all_artefacts():
        verdict.n_artefacts += 1
        path = store.job_folder(manifest.job_id) / artefact.stored_as
        if not path.is_file() or hash_file(path) != (artefact.sha256, artefact.bytes):
            wrong.add(artefact.name)
    is_whole = manifest.state == JobState.COMPLETED and not manifest.n_failed_tracks
    if is_whole:
        found = artefacts(manifest)
        wrong |= {
            name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)
        }
    verdict.n_wrong += len(wrong)
    verdict.faults += [f"{name} of {manifest.job_id} is missing or differs" for name in wrong]


def _stages(manifest: ProcessingManifest) -> Iterator[tuple[StageKey, ProcessingStage]]:
    owners = [(track.index, track.stages) for track in manifest.tracks]
    for index, records in [*owners, (None, manifest.stages)]:
        for record in records:
            yield (manifest.job_id, manifest.n_retries, index, record.name), record


def _repeated_by_events(log: ProgressLog, job_id: str) -> set[StageKey]:
    """Return the stages that started after they had finished, by the events of a job."""
    finished: set[StageKey] = set()
    repeated: set[StageKey] = set()
    n_tries = 0
    for event in log.since(job_id, limit=EVENTS):
        told = event.payload
        if event.kind == "state" and told["state"] == JobState.QUEUED:
            n_tries += 1
        elif event.kind == "stage":
            key = (job_id, max(0, n_tries - 1), told["track_index"], str(told["stage"]))
            if told["state"] == StageState.RUNNING and key in finished:
                repeated.add(key)
            if told["state"] == StageState.COMPLETED:
                finished.add(key)
    return repeated
