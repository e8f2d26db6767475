"""How full the queues are, in all and for each owner."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dbos import WorkflowStatus  # noqa: TID251


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """What is in one queue, of one owner or in all (None).

    ``oldest_s`` seconds is the longest wait in it.
    """

    queue: str
    owner: str | None
    n_waiting: int
    n_running: int
    oldest_s: float


def loads_of(rows: Iterable[WorkflowStatus], queues: Iterable[str]) -> list[QueueLoad]:
    """Return the load of each of these queues, and of each owner that has something there.

    ``rows``: what waits or runs.
    """
    found: dict[tuple[str, str | None], list[WorkflowStatus]] = {
        (name, None): [] for name in queues
    }
    for row in rows:
        for owner in {None, row.queue_partition_key}:
            found.setdefault((row.queue_name or "", owner), []).append(row)
    return [_load(queue, owner, of_both) for (queue, owner), of_both in found.items()]


def _load(queue: str, owner: str | None, rows: Sequence[WorkflowStatus]) -> QueueLoad:
    waiting = [row.created_at or 0 for row in rows if row.status == "ENQUEUED"]
    return QueueLoad(
        queue=queue,
        owner=owner,
        n_waiting=len(waiting),
        n_running=len(rows) - len(waiting),
        oldest_s=max(0.0, time.time() - min(waiting) / 1000) if waiting else 0.0,
    )
