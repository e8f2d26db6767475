"""Delivers what webhooks are told: a durable workflow for each attempt, spread over a day.

Signed as Standard Webhooks says (https://www.standardwebhooks.com). A worker that dies after a
server took a message sends it again: `webhook-id` is the same, by which servers tell repetitions.
"""

import logging
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from dbos import DBOS  # noqa: TID251
from standardwebhooks import Webhook as Signer  # noqa: TID251

from core.errors import AddressForbidden, InvalidLink, SourceUnavailable
from core.jobs.patience import patiently
from core.jobs.queue import WEBHOOK_WORKFLOW, JobQueue
from core.jobs.rounds import Rounds
from core.jobs.webhook_outbox import Message, WebhookOutbox
from core.net.addresses import AddressGuard
from core.net.outgoing import Outgoing, OutgoingLimits
from core.system.logs import work_in_log

logger = logging.getLogger(__name__)

NO_LIMIT = None
PAUSES_S = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 28800.0)
"""After failed attempts: a day in all. After the last of them, a delivery is dead."""
JITTER = 0.2
MAX_RETRY_AFTER_S = 86_400.0
LIMITS = OutgoingLimits(max_bytes=65_536, total_s=20.0, idle_s=15.0, max_redirects=0)
GONE = 410
CLEANING_INTERVAL_S = 3600.0


def register_webhook_workflow(sender: "WebhookSender") -> None:
    """Register the workflow, once in a process, before the engine is launched."""

    @DBOS.workflow(name=WEBHOOK_WORKFLOW, max_recovery_attempts=NO_LIMIT)
    def deliver(delivery_id: str) -> None:
        DBOS.run_step({"name": "deliver"}, lambda: sender.attempt(delivery_id))


class WebhookSender:
    """Attempts deliveries. Safe for several threads.

    Parameters
    ----------
    guard : says which addresses may be called.
    pauses_s : after each failed attempt; their number limits the attempts.
    """

    def __init__(
        self, database_url: str, guard: AddressGuard, pauses_s: Sequence[float] = PAUSES_S
    ) -> None:
        self._outbox = WebhookOutbox(database_url)
        self._outgoing = Outgoing(guard, LIMITS)
        self._pauses_s = pauses_s

    def attempt(self, delivery_id: str) -> None:
        """Attempt a delivery, unless it is over; note how that ended."""
        with work_in_log(delivery_id):
            message = patiently(lambda: self._outbox.message(delivery_id))
            if message is not None:
                self._attempt(message)

    def _attempt(self, message: Message) -> None:
        status: int | None = None
        retry_after: str | None = None
        is_final = False
        try:
            answer = self._outgoing.post(message.url, message.body.encode(), sign(message))
        except (AddressForbidden, InvalidLink) as problem:
            error, is_final = problem.message, True
        except SourceUnavailable as problem:
            error = problem.message
        else:
            status, retry_after = answer.status, answer.headers.get("retry-after")
            error = "" if 200 <= status < 300 else f"The server answered {status}."
        if error:
            logger.info("attempt %d failed: %s", message.n_attempts + 1, error)
        if status == GONE:
            patiently(lambda: self._outbox.end(message.webhook_id, error))
            return
        next_s = None if is_final else self._next_s(message, retry_after)
        patiently(
            lambda: self._outbox.note(message, status=status, error=error or None, next_s=next_s)
        )

    def _next_s(self, message: Message, retry_after: str | None) -> float | None:
        """Return when to try again (Unix seconds), None after the last attempt."""
        if message.n_attempts >= len(self._pauses_s):
            return None
        pause_s = self._pauses_s[message.n_attempts] * random.uniform(1 - JITTER, 1 + JITTER)
        return time.time() + max(pause_s, _read_retry_after(retry_after))


def sign(message: Message) -> dict[str, str]:
    """Return the headers of a message, with a signature by each of its secrets."""
    at = datetime.now(UTC)
    signatures = (Signer(secret).sign(message.id, at, message.body) for secret in message.secrets)
    return {
        "Content-Type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _read_retry_after(text: str | None) -> float:
    """Return the seconds that a server asks for: a number, or a date (RFC 9110, 10.2.3)."""
    if text is None:
        return 0.0
    if text.strip().isdecimal():
        return min(float(text), MAX_RETRY_AFTER_S)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except ValueError:
        return 0.0
    return min(max(0.0, seconds), MAX_RETRY_AFTER_S)


class WebhookSweep(Rounds):
    """Queues the deliveries whose time has come; every worker may do so at once."""

    subject = "webhooks"

    def __init__(self, database_url: str, queue: JobQueue) -> None:
        self._outbox = WebhookOutbox(database_url)
        self._queue = queue
        self._cleaned_at = float("-inf")

    def round(self) -> None:
        """Queue what is due; now and then, remove what ended long ago."""
        for delivery_id, run, owner in self._outbox.take_due():
            self._queue.enqueue_delivery(delivery_id, run, owner)
        if time.monotonic() - self._cleaned_at >= CLEANING_INTERVAL_S:
            self._cleaned_at = time.monotonic()
            self._outbox.remove_old()
