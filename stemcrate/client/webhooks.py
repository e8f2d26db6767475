"""Webhooks: addresses that are told when jobs and batches end."""

from collections.abc import Iterator

from stemcrate.client.calls import Calls
from stemcrate.client.connection import path_of
from stemcrate.schemas.webhooks import (
    Delivery,
    DeliveryPage,
    DeliveryState,
    NewWebhook,
    Webhook,
    WebhookList,
    WebhookRequest,
)


class WebhookCalls(Calls):
    """Operations on webhooks. Each one that takes an id raises ``webhook_not_found`` (404)."""

    def create_webhook(self, wanted: WebhookRequest) -> NewWebhook:
        """Make a webhook and return it with its secret, which is not shown again.

        Raises `ApiError`: 422 ``invalid_link`` or ``address_forbidden``.
        """
        body = wanted.model_dump(mode="json", exclude_unset=True)
        return self._api.read("POST", "/webhooks", NewWebhook, json=body)

    def list_webhooks(self) -> list[Webhook]:
        """Return the webhooks, the oldest first."""
        return self._api.read("GET", "/webhooks", WebhookList).webhooks

    def get_webhook(self, webhook_id: str) -> Webhook:
        """Return a webhook, without its secret."""
        return self._api.read("GET", path_of("webhooks", webhook_id), Webhook)

    def rotate_webhook(self, webhook_id: str) -> NewWebhook:
        """Give a webhook a new secret and return it; the one before signs beside it for a day."""
        return self._api.read("POST", path_of("webhooks", webhook_id, "rotate"), NewWebhook)

    def delete_webhook(self, webhook_id: str) -> None:
        """Delete a webhook with its deliveries."""
        self._api.tell("DELETE", path_of("webhooks", webhook_id))

    def list_deliveries(
        self,
        webhook_id: str,
        *,
        state: DeliveryState | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> DeliveryPage:
        """Return a page of what a webhook was told, newest first: all, or those in one state."""
        query = {"state": state, "limit": limit, "cursor": cursor}
        path = path_of("webhooks", webhook_id, "deliveries")
        return self._api.read("GET", path, DeliveryPage, query=query)

    def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None = None
    ) -> Iterator[Delivery]:
        """Yield what a webhook was told, newest first: all, or those in one state."""
        page = self.list_deliveries(webhook_id, state=state)
        yield from page.deliveries
        while page.next_cursor is not None:
            page = self.list_deliveries(webhook_id, state=state, cursor=page.next_cursor)
            yield from page.deliveries

    def replay_delivery(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Deliver once more, and return the delivery.

        Raises `ApiError` 404 ``delivery_not_found``, 422 if the webhook has ended.
        """
        path = path_of("webhooks", webhook_id, "deliveries", delivery_id, "replay")
        return self._api.read("POST", path, Delivery)
