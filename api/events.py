"""A job's log as Server-Sent Events (WHATWG HTML, 9.2).

An event's id is its number in the log, so a client that lost its connection resumes where it
was. The stream ends with a `state` event whose state is final.
"""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from functools import partial

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from api.deps import Services
from core.errors import JobNotFound
from core.jobs.progress import LoggedEvent
from stemcrate.schemas.events import JobStanding
from stemcrate.schemas.manifest import JobState

POLL_S = 0.4
LOOK_EVERY_S = 2.0
"""A job can end, and a server stop, without an event."""
KEEPALIVE_S = 15.0
RETRY_MS = 2000
BATCH = 200


@dataclass(frozen=True, slots=True)
class _News:
    """Events after a number, and the job's state before the log was read."""

    state: JobState
    events: list[LoggedEvent]
    job: JobStanding | None


def read_news(services: Services, job_id: str, seq: int) -> _News:
    """Read a job and its log. Raises `JobNotFound`."""
    manifest = services.store.load(job_id)
    events = services.progress.since(job_id, seq, BATCH)
    job = JobStanding(**asdict(services.jobs.progress(manifest))) if events else None
    return _News(manifest.state, events, job)


def event_number(last_event_id: str | None) -> int | None:
    """Parse `Last-Event-ID`; an invalid id is ignored."""
    is_number = last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit()
    return min(int(last_event_id[:18]), 2**62) if is_number and last_event_id else None


async def stream_events(services: Services, job_id: str, seq: int) -> AsyncIterator[bytes]:
    """Yield a job's events after number ``seq``.

    Ends when the job ends or is deleted, the client disconnects, or the server stops.
    """
    watch = services.watch
    with services.streaming.counted(), watch.following(job_id, POLL_S):
        yield format_sse_event(retry=RETRY_MS)
        said_at = time.monotonic()
        while not services.stopping.is_set():
            try:
                news = await watch.read_once(
                    (job_id, seq), partial(read_news, services, job_id, seq)
                )
            except JobNotFound:  # deleted meanwhile
                return
            for event in news.events:
                seq = event.seq
                yield _format(event, news.job if event is news.events[-1] else None)
                if _is_end(event):
                    return
            if news.state.is_final and len(news.events) < BATCH:
                # The log is a convenience: a job may end without an event.
                yield _format_end(news.state, seq)
                return
            if news.events:
                said_at = time.monotonic()
            elif time.monotonic() - said_at >= KEEPALIVE_S:
                yield KEEPALIVE_COMMENT
                said_at = time.monotonic()
            if len(news.events) < BATCH:
                await watch.wait_for_news(job_id, seq, LOOK_EVERY_S)


def _format(event: LoggedEvent, job: JobStanding | None) -> bytes:
    """Format an event; the newest one includes the progress of the whole job."""
    data = {**event.payload, "at": event.at.isoformat()}
    if job is not None:
        data["job"] = job.model_dump(mode="json")
    return format_sse_event(event=event.kind, data_str=json.dumps(data), id=str(event.seq))


def _format_end(state: JobState, seq: int) -> bytes:
    data = json.dumps({"kind": "state", "state": state.value})
    return format_sse_event(event="state", data_str=data, id=str(seq))


def _is_end(event: LoggedEvent) -> bool:
    return event.kind == "state" and JobState(event.payload["state"]).is_final
