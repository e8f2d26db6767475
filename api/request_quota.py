"""Counts requests of each owner, and tells in each response how many are left."""

import logging

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import Caller
from api.deps import Services
from api.problems import problem_response
from api.rate_limits import rate_limit_headers
from core.errors import DatabaseUnavailable, QuotaExceeded
from stemcrate.schemas.quotas import Allowance

logger = logging.getLogger(__name__)


class RequestQuota:
    """Answers 429 once an owner has sent the requests of a minute.

    While the database is away, requests pass uncounted: what needs it answers 503 by itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        caller: Caller | None = scope.get("state", {}).get("caller")
        if caller is None:
            await self._app(scope, receive, send)
            return
        try:
            left = await _count(scope["app"].state.services, caller)
        except QuotaExceeded as error:
            await problem_response(error, scope["method"], scope["path"])(scope, receive, send)
            return

        async def send_with_limit(message: Message) -> None:
            if left is not None and message["type"] == "http.response.start":
                for name, value in rate_limit_headers(left).items():
                    MutableHeaders(scope=message).append(name, value)
            await send(message)

        await self._app(scope, receive, send_with_limit)


async def _count(services: Services, caller: Caller) -> Allowance | None:
    """Count a request. Raises `QuotaExceeded`."""
    if not services.settings.owner_requests_per_minute:
        return None
    try:
        return await run_in_threadpool(services.of(caller).quotas.count_request)
    except DatabaseUnavailable as error:
        logger.warning("a request was not counted: %s", error)
        return None
