"""What webhooks still have to be told: deliveries that are due, and how attempts ended."""

import time
from dataclasses import dataclass

import sqlalchemy as sa

from core.jobs.database import deliveries, webhooks
from core.system.database import transaction
from stemcrate.schemas.webhooks import DeliveryState

LEASE_S = 300.0
"""A delivery that was queued and not attempted for so long is queued again."""
KEPT_S = 30 * 86_400.0
"""How long a delivery stays after it was made."""


@dataclass(frozen=True, slots=True)
class Message:
    """A delivery to attempt. ``secrets``: keys of the signatures, the newest first."""

    id: str
    webhook_id: str
    url: str
    body: str
    secrets: tuple[str, ...]
    n_attempts: int


class WebhookOutbox:
    """The deliveries of all owners. Every method raises `DatabaseUnavailable`."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def take_due(self, limit: int = 100) -> list[tuple[str, int, str]]:
        """Return deliveries whose time has come: id, number of this run, owner."""
        rows = deliveries.c
        due = (
            sa.select(rows.id)
            .where(rows.state == "waiting", rows.next_s <= time.time())
            .order_by(rows.next_s)
            .limit(limit)
        )
        with transaction(self._url) as connection:
            ids = list(connection.scalars(due))
            if not ids:
                return []
            connection.execute(
                sa.update(deliveries)
                .where(rows.id.in_(ids), rows.state == "waiting", rows.next_s <= time.time())
                .values(next_s=time.time() + LEASE_S, n_queued=rows.n_queued + 1)
            )
            query = (
                sa.select(rows.id, rows.n_queued, webhooks.c.owner)
                .join(webhooks, webhooks.c.id == rows.webhook_id)
                .where(rows.id.in_(ids))
            )
            return [(row.id, row.n_queued, row.owner) for row in connection.execute(query)]

    def message(self, delivery_id: str) -> Message | None:
        """Return a delivery to attempt; None if it is over, or its webhook is."""
        query = (
            sa.select(deliveries, webhooks.c.url, webhooks.c.secret)
            .add_columns(webhooks.c.old_secret, webhooks.c.old_until_s)
            .join(webhooks, webhooks.c.id == deliveries.c.webhook_id)
            .where(
                deliveries.c.id == delivery_id,
                deliveries.c.state == "waiting",
                webhooks.c.ended_s.is_(None),
            )
        )
        with transaction(self._url) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        is_overlap = row.old_until_s is not None and row.old_until_s > time.time()
        return Message(
            id=row.id,
            webhook_id=row.webhook_id,
            url=row.url,
            body=row.body,
            secrets=(row.secret, row.old_secret) if is_overlap else (row.secret,),
            n_attempts=row.n_attempts,
        )

    def note(
        self,
        message: Message,
        *,
        status: int | None,
        error: str | None,
        next_s: float | None,
    ) -> None:
        """Note how an attempt ended; without an error it is delivered, else waits or is dead."""
        state: DeliveryState = "waiting" if next_s is not None else "dead"
        values: dict[str, object] = {"state": state}
        if next_s is not None:
            values["next_s"] = next_s
        if error is None:
            values = {"state": "delivered", "delivered_s": time.time()}
        with transaction(self._url) as connection:
            connection.execute(
                sa.update(deliveries)
                .where(deliveries.c.id == message.id, deliveries.c.state == "waiting")
                .values(
                    n_attempts=message.n_attempts + 1,
                    last_status=status,
                    last_error=error,
                    **values,
                )
            )

    def end(self, webhook_id: str, error: str) -> None:
        """End a webhook whose server wants no more, with all that waits for it."""
        rows = deliveries.c
        with transaction(self._url) as connection:
            connection.execute(
                sa.update(webhooks).where(webhooks.c.id == webhook_id).values(ended_s=time.time())
            )
            connection.execute(
                sa.update(deliveries)
                .where(rows.webhook_id == webhook_id, rows.state == "waiting")
                .values(state="dead", last_error=error)
            )

    def remove_old(self) -> None:
        """Remove deliveries that ended long ago."""
        rows = deliveries.c
        with transaction(self._url) as connection:
            connection.execute(
                sa.delete(deliveries).where(
                    rows.created_s < time.time() - KEPT_S, rows.state != "waiting"
                )
            )
