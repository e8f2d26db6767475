"""Webhooks for the API: make, list, rotate, delete; their deliveries, and replays of them."""

from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from core.errors import InvalidLink
from core.jobs.webhook_store import WebhookStore
from core.net.addresses import AddressGuard
from core.net.outgoing import parse_url
from stemcrate.schemas.webhooks import NewWebhook, WebhookRequest


class WebhookService:
    """The webhooks of an owner. ``guard`` says which addresses may be called."""

    def __init__(self, database_url: str, owner: str, guard: AddressGuard) -> None:
        self._guard = guard
        self.webhooks = WebhookStore(database_url, owner)

    def create(self, wanted: WebhookRequest) -> NewWebhook:
        """Make a webhook with a new secret.

        Host names are looked up when they are called, and may lead elsewhere then. Raises
        `InvalidLink`, `AddressForbidden`, `InvalidOption`, `DatabaseUnavailable`.
        """
        try:
            parse_url(wanted.url)
            host = urlsplit(wanted.url).hostname or ""
            with suppress(ValueError):
                self._guard.require(host, str(ip_address(host)))
        except InvalidLink as error:
            raise type(error)(error.message, hint=error.hint, field="url") from error
        return self.webhooks.create(wanted)
