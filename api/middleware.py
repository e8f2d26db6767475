"""Common headers and unexpected errors. Plain ASGI, so that streams stay streams."""

import logging
import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import unexpected
from core.errors import StemcrateError
from core.system.logs import request_in_log

logger = logging.getLogger(__name__)

REQUEST_ID = "X-Request-ID"
_USABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class CommonHeaders:
    """Adds a request id (the client's, if valid) and `nosniff` to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _USABLE_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        with request_in_log(request_id):
            await self._app(scope, receive, send_with_headers)


class UnexpectedErrors:
    """Logs uncaught exceptions; answers with a problem if no response has started."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_started = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            request_id = scope.get("state", {}).get("request_id", "-")
            asked = (scope["method"], scope["path"], request_id)
            if has_started:
                # The server breaks the connection, so that no client takes a part for the whole.
                if not isinstance(error.__cause__, StemcrateError):
                    raise
                logger.warning("%s %s [%s] was broken off: %s", *asked, error.__cause__)
                return
            logger.exception("%s %s [%s]", *asked)
            await unexpected(scope["path"])(scope, receive, send)
