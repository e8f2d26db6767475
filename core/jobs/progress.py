"""One ordered log of events per job: the source of the event stream.

A row's ``seq`` is the SSE event id, so a client that reconnects says which event
it saw last and misses nothing. The log is a convenience; the manifest is the record.

Events are JSON objects with a ``kind``:

    state      state                                    the job changed its state
    stage      stage track_index state attempt          a stage started or ended
    progress   stage track_index fraction eta_s         a stage's fraction done (0 to 1) and its
                                                        remaining seconds (null: unknown)
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from core.jobs.batch_states import note_state
from core.jobs.database import progress_events
from core.jobs.webhook_events import name_webhook, tell_job_end
from core.system.database import transaction
from stemcrate.schemas.manifest import JobState, ProcessingManifest, ProcessingStage, StageState

LIVE_EVENTS = 64


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """A logged event: its number, its time (UTC), and its content."""

    seq: int
    at: datetime
    payload: dict[str, Any]

    @property
    def kind(self) -> str:
        """``state``, ``stage`` or ``progress``."""
        return str(self.payload["kind"])


@dataclass(frozen=True, slots=True)
class JobProgress:
    """Where a job stands.

    ``stage`` is the running stage (of several, the costliest) or the next one, ``track_index`` its
    track, None for a stage of the whole job; both are None when the job does not run. ``fraction``
    is of the whole job, 0 to 1; ``eta_s`` the estimated remaining seconds, None while unknown;
    ``silent_s`` the seconds since that stage last reported its fraction, None if it has not
    started.
    """

    stage: str | None
    track_index: int | None
    fraction: float
    eta_s: float | None
    silent_s: float | None = None


class ProgressLog:
    """The log of all jobs. Every method raises `DatabaseUnavailable`."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def append(self, job_id: str, event: Mapping[str, Any]) -> None:
        """Add an event."""
        with transaction(self._url) as connection:
            _insert(connection, job_id, event)

    def tell(
        self, manifest: ProcessingManifest, state: JobState, webhook_id: str | None = None
    ) -> None:
        """Add the new state of a job, with what its batch and the owner's webhooks learn of it.

        ``webhook_id``: a webhook that the job names from now on.
        """
        job_id = manifest.job_id
        with transaction(self._url) as connection:
            _insert(connection, job_id, {"kind": "state", "state": state})
            if webhook_id is not None:
                name_webhook(connection, job_id, webhook_id)
            note_state(connection, job_id, state)
            if state.is_final:
                tell_job_end(connection, job_id, manifest.owner, state, manifest.n_retries)

    def since(self, job_id: str, seq: int = 0, limit: int = 100) -> list[LoggedEvent]:
        """List up to ``limit`` events of a job after number ``seq``, oldest first."""
        query = (
            sa.select(progress_events)
            .where(progress_events.c.job_id == job_id, progress_events.c.seq > seq)
            .order_by(progress_events.c.seq)
            .limit(limit)
        )
        return self._read(query)

    def latest(self, job_id: str, limit: int = LIVE_EVENTS) -> list[LoggedEvent]:
        """List the last ``limit`` events of a job, newest first."""
        query = (
            sa.select(progress_events)
            .where(progress_events.c.job_id == job_id)
            .order_by(progress_events.c.seq.desc())
            .limit(limit)
        )
        return self._read(query)

    def newest(self, job_ids: Collection[str]) -> dict[str, int]:
        """Return the number of the last event of each of these jobs that has one."""
        columns = progress_events.c.job_id, sa.func.max(progress_events.c.seq).label("seq")
        query = sa.select(*columns).where(progress_events.c.job_id.in_(job_ids))
        with transaction(self._url) as connection:
            rows = connection.execute(query.group_by(progress_events.c.job_id)).all()
        return {row.job_id: row.seq for row in rows}

    def forget(self, job_id: str) -> None:
        """Remove the events of a job."""
        with transaction(self._url) as connection:
            connection.execute(sa.delete(progress_events).where(progress_events.c.job_id == job_id))

    def _read(self, query: sa.Select[Any]) -> list[LoggedEvent]:
        with transaction(self._url) as connection:
            rows = connection.execute(query).all()
        return [LoggedEvent(row.seq, _utc(row.at), json.loads(row.payload)) for row in rows]


def _insert(connection: sa.Connection, job_id: str, event: Mapping[str, Any]) -> None:
    row = {"job_id": job_id, "at": datetime.now(UTC), "payload": json.dumps(dict(event))}
    connection.execute(sa.insert(progress_events).values(**row))


MIN_ELAPSED_S = 2.0
MIN_FRACTION = 0.05


def job_progress(
    manifest: ProcessingManifest,
    events: Sequence[LoggedEvent],
    costs: Mapping[str, float],
    *,
    at: datetime | None = None,
) -> JobProgress:
    """Return the progress of a job.

    Parameters
    ----------
    manifest : the job's record.
    events : its latest events, newest first (`ProgressLog.latest`).
    costs : CPU time of each stage relative to the others, by name.
    at : the current time; now by default.

    The fraction is Σ cost of ended stages + Σ cost × fraction of running ones, over Σ cost. It goes
    back only when a stage is retried. 0 for a queued job; 1 for a completed one; for one that
    was cancelled or failed, the fraction done until then.
    """
    if manifest.state == JobState.COMPLETED:
        return JobProgress(None, None, 1.0, None)
    live = _live_fractions(events)
    total = done = 0.0
    current: list[tuple[bool, float, str, int | None]] = []
    for index, is_over, record in _records(manifest):
        cost = costs.get(record.name, 1.0)
        total += cost
        if record.state == StageState.COMPLETED or (
            not manifest.state.is_final and (is_over or record.state.is_final)
        ):
            done += cost
        elif record.state == StageState.RUNNING:
            done += cost * live.get((record.name, index), 0.0)
            current.append((True, cost, record.name, index))
        else:
            # Between two stages, the first waiting one is shown; max() takes the first of equals.
            current.append((False, 0.0, record.name, index))
    fraction = min(done / total, 0.999) if total else 0.0
    if manifest.state != JobState.RUNNING:
        return JobProgress(None, None, round(fraction, 4), None)
    nothing = (False, 0.0, None, None)
    *_, stage, track_index = max(current, key=lambda entry: entry[:2], default=nothing)
    at = at or datetime.now(UTC)
    eta_s = _eta(manifest, fraction, events, costs, at)
    silent_s = _silence(events, stage, track_index, at)
    return JobProgress(stage, track_index, round(fraction, 4), eta_s, silent_s)


def _records(
    manifest: ProcessingManifest,
) -> Iterator[tuple[int | None, bool, ProcessingStage]]:
    """Return every stage with its track's index and whether its track has ended."""
    for track in manifest.tracks:
        for record in track.stages:
            yield track.index, track.state.is_final, record
    for record in manifest.stages:
        yield None, False, record


def _live_fractions(events: Sequence[LoggedEvent]) -> dict[tuple[str, int | None], float]:
    """Return each stage's fraction from its newest event; a restarted stage is at 0."""
    live: dict[tuple[str, int | None], float] = {}
    for event in events:
        if event.kind in ("progress", "stage"):
            key = (str(event.payload["stage"]), event.payload.get("track_index"))
            live.setdefault(key, float(event.payload.get("fraction", 0.0)))
    return live


def _eta(
    manifest: ProcessingManifest,
    fraction: float,
    events: Sequence[LoggedEvent],
    costs: Mapping[str, float],
    at: datetime,
) -> float | None:
    """Estimate the remaining seconds: running stages report theirs, the rest follows from their
    cost.

    The time of a unit of cost on this machine follows from the job's ended stages.
    Without a running stage that reports a rate, the job's own rate so far is used.
    """
    if manifest.started_at is None:
        return None
    running = _live_etas(events, at)
    etas = [
        running[record.name, index]
        for index, is_over, record in _records(manifest)
        if not is_over and record.state == StageState.RUNNING and (record.name, index) in running
    ]
    seconds_per_cost = _seconds_per_cost(manifest, costs)
    if etas and seconds_per_cost is not None:
        waiting = sum(
            costs.get(record.name, 1.0)
            for _, is_over, record in _records(manifest)
            if not is_over and record.state == StageState.PENDING
        )
        return round(max(etas) + waiting * seconds_per_cost, 1)
    elapsed_s = (at - manifest.started_at).total_seconds()
    if elapsed_s < MIN_ELAPSED_S or fraction < MIN_FRACTION:
        return None
    return round(elapsed_s * (1 - fraction) / fraction, 1)


def _live_etas(events: Sequence[LoggedEvent], at: datetime) -> dict[tuple[str, int | None], float]:
    """Return each stage's remaining seconds by its newest event, less the time since then."""
    etas: dict[tuple[str, int | None], float | None] = {}
    for event in events:
        if event.kind in ("progress", "stage"):
            eta_s = event.payload.get("eta_s")
            left = None if eta_s is None else eta_s - (at - event.at).total_seconds()
            etas.setdefault((str(event.payload["stage"]), event.payload.get("track_index")), left)
    return {key: max(0.0, left) for key, left in etas.items() if left is not None}


def _silence(
    events: Sequence[LoggedEvent], stage: str | None, track_index: int | None, at: datetime
) -> float | None:
    """Return the seconds since a stage's last event."""
    for event in events:
        told = event.payload
        if told.get("stage") == stage and told.get("track_index") == track_index:
            return round(max(0.0, (at - event.at).total_seconds()), 1)
    return None


def _seconds_per_cost(manifest: ProcessingManifest, costs: Mapping[str, float]) -> float | None:
    ended = [
        record
        for record in manifest.all_stages()
        if record.state == StageState.COMPLETED and not record.cache_hit
    ]
    cost = sum(costs.get(record.name, 1.0) for record in ended)
    return sum(record.seconds or 0.0 for record in ended) / cost if cost else None


def _utc(moment: datetime) -> datetime:
    """Restore the time zone of SQLite's timestamps."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
