"""Enriches tracks of a library, one at a time: attempts, back-off, and what is kept of them."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.artifacts.store import JobStore
from core.enrichment.enricher import EnrichedTrack, Enricher, Finding
from core.enrichment.registry import ENRICHERS
from core.enrichment.settings import EnricherSettings
from core.errors import StageFailed, StemcrateError, TrackNotFound, WorkerLost
from core.library.library import Library
from core.library.records.enrichment import EnrichmentRecord, KeptOutcome
from core.library.stems import find_unchanged
from core.system.clock import now
from core.system.isolation import IsolatedProcess, ProcessDied
from core.system.threads import one_blas_thread
from stemcrate.schemas.enrichment import EnricherOutcome, EnrichmentStatus
from stemcrate.schemas.manifest import Failure

N_ATTEMPTS = 3
BACK_OFF_S = 2.0
"""Pause before the second attempt; it doubles with each further."""


@dataclass(frozen=True, slots=True)
class EnrichTask:
    """What an enricher is to do in a process of its own."""

    enricher: str
    settings: EnricherSettings
    track: EnrichedTrack


Carry = Callable[[EnrichTask], Finding]
Wait = Callable[[float], None]


def in_process(process: IsolatedProcess) -> Carry:
    """Return what carries tasks out in a process, which may die without loss."""

    def carry(task: EnrichTask) -> Finding:
        try:
            return process.call(carry_out, task)
        except ProcessDied as error:
            raise WorkerLost(
                f"The process that enriched this track died: {error}.",
                hint="Most often the machine ran out of memory; the file may be broken, too.",
            ) from error

    return carry


def carry_out(task: EnrichTask) -> Finding:
    """Run an enricher; one that was made stays for the next track."""
    with one_blas_thread():
        return _make(task.enricher, task.settings).enrich(task.track)


@lru_cache(maxsize=8)
def _make(name: str, settings: EnricherSettings) -> Enricher:
    return ENRICHERS.get(name)(settings)


def lacking(library: Library, enrichers: Sequence[type[Enricher]]) -> list[str]:
    """List the tracks for which an enricher has not been successful."""
    return [
        track_id
        for track_id in library.track_ids()
        if any(not _is_done(library.enrichment(track_id), one) for one in enrichers)
    ]


def enrich_track(
    library: Library,
    track_id: str,
    enricher: type[Enricher],
    settings: EnricherSettings,
    *,
    store: JobStore,
    carry: Carry,
    wait: Wait,
) -> EnricherOutcome:
    """Let an enricher look at a track, and keep what became of it.

    Parameters
    ----------
    store : has the uploaded bytes of tracks.
    carry : carries a task out.
    wait : called with the seconds before the next attempt.

    Raises
    ------
    TrackNotFound : there is no such track, or it was removed meanwhile.
    """
    record = library.find_corrected(track_id)
    if record is None:
        library.summary(track_id)  # says which is missing
        raise TrackNotFound(f"Track '{track_id}' was removed.")
    file = find_unchanged(record, store)
    facts = record.facts.model_copy(update={"duration_s": record.duration_s})
    path = None if file is None else Path(file.path)
    prints = None if record.fingerprint is None else record.fingerprint.unpack()
    track = EnrichedTrack(track_id, record.name, path, facts, prints)
    task = EnrichTask(enricher.name, settings, track)
    finding, error, n_attempts = _attempt(task, carry, wait)
    outcome = KeptOutcome(
        enricher=enricher.name,
        model=enricher.model,
        status=EnrichmentStatus.DONE,
        finished_at=now(),
        n_attempts=n_attempts,
    )
    if error is not None:
        before = library.enrichment(track_id).outcomes.get(enricher.name)
        if before is not None and before.model == enricher.model:
            outcome = before.model_copy(
                update={"finished_at": outcome.finished_at, "n_attempts": n_attempts}
            )
        outcome.status, outcome.error = EnrichmentStatus.FAILED, error
    elif finding is not None:
        outcome.tags = sorted(finding.tags, key=lambda tag: (-tag.score, tag.name))
        outcome.danceability = finding.danceability
        outcome.valence, outcome.arousal = finding.valence, finding.arousal
        outcome.proposals = list(finding.proposals)
        outcome.take_embedding(finding.embedding)
    library.keep_outcome(track_id, outcome)
    return outcome


def _attempt(
    task: EnrichTask, carry: Carry, wait: Wait
) -> tuple[Finding | None, Failure | None, int]:
    pause_s = BACK_OFF_S
    for n_attempts in range(1, N_ATTEMPTS + 1):
        try:
            return carry(task), None, n_attempts
        except StemcrateError as error:
            failed = error
        except Exception as error:  # noqa: BLE001  an enricher may be anybody's
            failed = StageFailed(f"The enricher failed: {type(error).__name__}: {error}")
            failed.__cause__ = error
        is_ours = not isinstance(failed, StageFailed)
        if n_attempts == N_ATTEMPTS or (is_ours and not failed.retryable):
            break
        wait(pause_s)
        pause_s *= 2
    failure = Failure(
        code=failed.code, message=failed.message, hint=failed.hint, retryable=failed.retryable
    )
    return None, failure, n_attempts


def _is_done(record: EnrichmentRecord, enricher: type[Enricher]) -> bool:
    with suppress(KeyError):
        outcome = record.outcomes[enricher.name]
        return outcome.model == enricher.model and outcome.status == EnrichmentStatus.DONE
    return False
