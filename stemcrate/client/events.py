"""A job's events as they happen (Server-Sent Events, WHATWG HTML, 9.2)."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import requests  # noqa: TID251
from pydantic import TypeAdapter

from stemcrate.client.connection import Connection, path_of, unexpected
from stemcrate.client.errors import ApiUnreachable, WaitTimeout
from stemcrate.schemas.events import JobEvent, StateEvent

SILENCE_S = 45.0  # three of the API's keep-alive comments
RECONNECT_S = 2.0
MAX_RECONNECTS = 5
_EVENT: TypeAdapter[JobEvent] = TypeAdapter(JobEvent)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A time (`time.monotonic`) at which waiting ends; None: never."""

    job_id: str
    at: float | None = None

    def left_s(self, at_most: float) -> float:
        """Return the remaining seconds, up to ``at_most``. Raises `WaitTimeout` at 0."""
        if self.at is None:
            return at_most
        left = self.at - time.monotonic()
        if left <= 0:
            raise WaitTimeout(
                f"Job {self.job_id} has not ended in the time given.",
                "It goes on; wait again, or cancel it.",
            )
        return min(left, at_most)


def follow_events(
    api: Connection, deadline: Deadline, last_event_id: int | None
) -> Iterator[JobEvent]:
    """Yield a job's events up to its final state; reconnect a cut stream.

    Raises `ApiUnreachable` if there is no stream at first, or if it was cut
    ``MAX_RECONNECTS`` times in a row without a new event.
    """
    was_open = False
    n_cuts = 0
    while True:
        try:
            with _open(api, deadline, last_event_id) as answer:
                if answer.status_code == requests.codes.no_content:
                    return
                was_open = True
                for event in _read_events(answer, deadline):
                    last_event_id, n_cuts = event.id, 0
                    yield event
                    if isinstance(event, StateEvent) and event.state.is_final:
                        return
                raise ApiUnreachable(f"The API at {api.base_url} ended the stream early.")
        except ApiUnreachable:
            n_cuts += 1
            if not was_open or n_cuts > MAX_RECONNECTS:
                raise
        time.sleep(deadline.left_s(RECONNECT_S))


def _open(
    api: Connection, deadline: Deadline, last_event_id: int | None
) -> AbstractContextManager[requests.Response]:
    headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
    return api.stream(
        "GET",
        path_of("job", deadline.job_id, "events"),
        headers={"Accept": "text/event-stream", **headers},
        timeout_s=deadline.left_s(SILENCE_S),
    )


def _read_events(answer: requests.Response, deadline: Deadline) -> Iterator[JobEvent]:
    """Parse a stream. Raises `UnexpectedAnswer` for anything else, and `WaitTimeout`."""
    for fields in read_fields(answer, lambda: deadline.left_s(SILENCE_S)):
        try:
            data = json.loads(fields["data"])
            yield _EVENT.validate_python({**data, "id": int(fields.get("id", 0))})
        except (ValueError, TypeError) as error:  # ValidationError is a ValueError
            raise unexpected(answer) from error


def read_fields(
    answer: requests.Response, on_line: Callable[[], object] = lambda: None
) -> Iterator[dict[str, str]]:
    """Yield the fields of each event with data. Raises `UnexpectedAnswer` for anything else."""
    if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
        raise unexpected(answer)
    fields: dict[str, str] = {}
    for line in _read_lines(answer):
        on_line()
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        if "data" in fields:
            yield fields
        fields = {}


def _read_lines(answer: requests.Response) -> Iterator[str]:
    """Yield each line as soon as it arrives; larger reads would wait for later data."""
    line = bytearray()
    for byte in answer.iter_content(1):
        if byte == b"\n":
            yield line.decode().removesuffix("\r")
            line.clear()
        else:
            line += byte
