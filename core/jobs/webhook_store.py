"""Webhooks and their deliveries in the database."""

import base64
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from core.artifacts.job_ids import new_job_id
from core.errors import DeliveryNotFound, InvalidOption, WebhookNotFound
from core.jobs.database import deliveries, named_webhooks, webhooks
from core.system.database import transaction
from stemcrate.schemas.webhooks import (
    Delivery,
    DeliveryState,
    NewWebhook,
    Webhook,
    WebhookRequest,
)

MAX_WEBHOOKS = 50
OVERLAP_S = 24 * 3600.0
"""How long the secret before signs beside a new one."""


class WebhookStore:
    """The webhooks of one owner; without an owner, those of all. Raises `DatabaseUnavailable`."""

    def __init__(self, database_url: str, owner: str | None = None) -> None:
        self._url = database_url
        self._owner = owner

    def create(self, wanted: WebhookRequest) -> NewWebhook:
        """Make a webhook. Raises `InvalidOption` beyond `MAX_WEBHOOKS`."""
        if len(self.all()) >= MAX_WEBHOOKS:
            raise InvalidOption(
                f"An owner has at most {MAX_WEBHOOKS} webhooks.", hint="Delete some first."
            )
        row = {
            "id": new_job_id(),
            "owner": self._owner,
            "url": wanted.url,
            "events": ",".join(dict.fromkeys(wanted.events)),
            "only_named": wanted.only_named,
            "name": wanted.name,
            "created_s": time.time(),
            "secret": _new_secret(),
        }
        with transaction(self._url) as connection:
            connection.execute(sa.insert(webhooks).values(**row))
        return self._with_secret(str(row["id"]))

    def all(self) -> list[Webhook]:
        """List webhooks, the oldest first."""
        query = sa.select(webhooks).where(*self._mine()).order_by(webhooks.c.id)
        with transaction(self._url) as connection:
            return [Webhook.model_validate(_fields(row)) for row in connection.execute(query)]

    def get(self, id: str) -> Webhook:
        """Return a webhook. Raises `WebhookNotFound`."""
        return Webhook.model_validate(_fields(self._row(id)))

    def rotate(self, id: str) -> NewWebhook:
        """Give a webhook a new secret; the one before signs beside it for a day.

        Raises `WebhookNotFound`.
        """
        before = self._row(id)
        self._update(
            id,
            secret=_new_secret(),
            old_secret=before.secret,
            old_until_s=time.time() + OVERLAP_S,
        )
        return self._with_secret(id)

    def delete(self, id: str) -> None:
        """Delete a webhook with its deliveries. Raises `WebhookNotFound`."""
        self._row(id)
        with transaction(self._url) as connection:
            connection.execute(sa.delete(named_webhooks).where(named_webhooks.c.webhook_id == id))
            connection.execute(sa.delete(deliveries).where(deliveries.c.webhook_id == id))
            connection.execute(sa.delete(webhooks).where(webhooks.c.id == id))

    def page(
        self, id: str, state: DeliveryState | None, before: str | None, limit: int
    ) -> tuple[list[Delivery], str | None]:
        """List deliveries of a webhook, newest first, and the cursor of the next page.

        Raises `WebhookNotFound`.
        """
        self._row(id)
        rows = deliveries.c
        query = sa.select(deliveries).where(rows.webhook_id == id)
        if state is not None:
            query = query.where(rows.state == state)
        if before is not None:
            query = query.where(rows.seq < before)
        with transaction(self._url) as connection:
            found = connection.execute(query.order_by(rows.seq.desc()).limit(limit + 1)).all()
        cursor = str(found[limit - 1].seq) if len(found) > limit else None
        return [_delivery(row) for row in found[:limit]], cursor

    def replay(self, id: str, delivery_id: str) -> Delivery:
        """Begin a delivery anew, whatever became of it.

        Raises `WebhookNotFound`, `DeliveryNotFound`, and `InvalidOption` if the webhook has ended.
        """
        if self._row(id).ended_s is not None:
            raise InvalidOption(
                "This webhook has ended.", hint="Make a new one with POST /webhooks."
            )
        rows = deliveries.c
        with transaction(self._url) as connection:
            row = connection.execute(
                sa.update(deliveries)
                .where(rows.webhook_id == id, rows.id == delivery_id)
                .values(state="waiting", n_attempts=0, next_s=time.time(), delivered_s=None)
                .returning(*rows)
            ).one_or_none()
        if row is None:
            raise DeliveryNotFound(
                f"There is no delivery '{delivery_id[:64]}'.",
                hint=f"GET /webhooks/{id}/deliveries lists them.",
            )
        return _delivery(row)

    def _row(self, id: str) -> "sa.Row[tuple[object, ...]]":
        query = sa.select(webhooks).where(*self._mine(), webhooks.c.id == id)
        with transaction(self._url) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise WebhookNotFound(
                f"There is no webhook '{id[:64]}'.", hint="GET /webhooks lists them."
            )
        return row

    def _with_secret(self, id: str) -> NewWebhook:
        row = self._row(id)
        return NewWebhook.model_validate({**_fields(row), "secret": row.secret})

    def _update(self, id: str, **values: object) -> None:
        with transaction(self._url) as connection:
            connection.execute(sa.update(webhooks).where(webhooks.c.id == id).values(**values))

    def _mine(self) -> Sequence[sa.ColumnElement[bool]]:
        return [] if self._owner is None else [webhooks.c.owner == self._owner]


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _fields(row: "sa.Row[tuple[object, ...]]") -> dict[str, object]:
    return {
        "id": row.id,
        "url": row.url,
        "events": row.events.split(","),
        "only_named": row.only_named,
        "name": row.name,
        "created_at": _time(row.created_s),
        "ended_at": _time(row.ended_s),
    }


def _delivery(row: "sa.Row[tuple[object, ...]]") -> Delivery:
    return Delivery(
        id=row.id,
        type=row.type,
        state=row.state,
        created_at=datetime.fromtimestamp(row.created_s, UTC),
        n_attempts=row.n_attempts,
        next_attempt_at=_time(row.next_s) if row.state == "waiting" else None,
        delivered_at=_time(row.delivered_s),
        last_status=row.last_status,
        last_error=row.last_error,
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
