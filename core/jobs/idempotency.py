"""Requests that clients may repeat: what was answered to them, by the client's own key.

A row is first held by the request that runs. It is kept with the answer, or removed if the request
was refused: then the key is free again. A server that dies leaves a row that nobody renews, and the
next request with the key takes it over, with the job id of the first.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from core.artifacts.job_ids import new_job_id
from core.errors import IdempotencyKeyInUse
from core.jobs.database import idempotent_requests
from core.system.database import transaction

KEPT_S = 24 * 3600.0
"""How long an answer is repeated."""
RENEWED_EVERY_S = 15.0
HELD_S = 60.0
"""A request that did not renew its row for so long is dead."""

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a request, and the fingerprint of that request."""

    fingerprint: str
    status: int
    headers: Headers
    body: bytes


class IdempotentRequests:
    """The rows of all API processes. Every method raises `DatabaseUnavailable`.

    Parameters
    ----------
    clock : seconds since the epoch, the same for all processes.
    """

    def __init__(self, database_url: str, *, clock: Callable[[], float] = time.time) -> None:
        self._url = database_url
        self._clock = clock

    def begin(self, client: str, key: str) -> str | Answer:
        """Hold a key for a request; return the id for its job, or the answer given before.

        ``client`` separates the keys of different clients. Raises `IdempotencyKeyInUse` while
        another request holds the key.
        """
        table, now = idempotent_requests, self._clock()
        mine = (table.c.client == client) & (table.c.key == key)
        with transaction(self._url) as connection:
            connection.execute(sa.delete(table).where(table.c.touched_at < now - KEPT_S))
        try:
            with transaction(self._url) as connection:
                job_id = new_job_id()
                row = {"client": client, "key": key, "job_id": job_id, "touched_at": now}
                connection.execute(sa.insert(table).values(**row))
                return job_id
        except sa.exc.IntegrityError:
            pass
        with transaction(self._url) as connection:
            row_there = connection.execute(sa.select(table).where(mine)).one_or_none()
            if row_there is not None and row_there.status is not None:
                headers = [(str(name), str(value)) for name, value in json.loads(row_there.headers)]
                return Answer(row_there.fingerprint, row_there.status, headers, row_there.body)
            taken = connection.execute(
                sa.update(table)
                .where(mine, table.c.status.is_(None), table.c.touched_at < now - HELD_S)
                .values(touched_at=now)
            )
            if row_there is not None and taken.rowcount:
                return str(row_there.job_id)
        raise IdempotencyKeyInUse(
            f"A request with the Idempotency-Key '{key}' is running.",
            hint="Wait for its response, or send this one again later.",
        )

    def renew(self, client: str, key: str) -> None:
        """Say that the request with this key is still running."""
        self._set(client, key, touched_at=self._clock())

    def keep(self, client: str, key: str, answer: Answer) -> None:
        """Keep the answer for those who repeat the request."""
        self._set(
            client,
            key,
            touched_at=self._clock(),
            fingerprint=answer.fingerprint,
            status=answer.status,
            headers=json.dumps(list(answer.headers)),
            body=answer.body,
        )

    def release(self, client: str, key: str) -> None:
        """Give the key of a refused request free."""
        table = idempotent_requests
        with transaction(self._url) as connection:
            connection.execute(sa.delete(table).where(table.c.client == client, table.c.key == key))

    def _set(self, client: str, key: str, **values: object) -> None:
        table = idempotent_requests
        with transaction(self._url) as connection:
            connection.execute(
                sa.update(table)
                .where(table.c.client == client, table.c.key == key)
                .values(**values)
            )
