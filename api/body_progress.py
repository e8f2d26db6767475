"""Bodies of requests must arrive: a minimum rate, and a maximum number at a time."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import body_stalled, too_many_bodies

PATIENCE_S = 30.0
"""Longest pause in a body."""
MIN_BYTES_PER_S = 4096
"""Rate at which a pause is made up for: a song of 4 MB would take 17 minutes."""


class BodyProgress:
    """Ends requests with 408 whose body stalls; refuses more than ``max_open`` bodies with 503.

    Only the time is counted in which the server waits for the client.
    """

    def __init__(self, app: ASGIApp, max_open: int) -> None:
        self._app = app
        self._max_open = max_open
        self._open: set[_Body] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
        elif len(self._open) >= self._max_open:
            await too_many_bodies(self._max_open, scope["path"])(scope, receive, send)
        else:
            await self._run(scope, _Body(receive, self._open), send)

    async def _run(self, scope: Scope, body: "_Body", send: Send) -> None:
        has_started = False

        async def send_unless_stalled(message: Message) -> None:
            nonlocal has_started
            if not body.is_stalled:
                has_started = True
                await send(message)

        self._open.add(body)
        try:
            await self._app(scope, body.receive, send_unless_stalled)
        except Exception:
            if not body.is_stalled:
                raise
        finally:
            self._open.discard(body)
        if body.is_stalled and not has_started:
            await body_stalled(scope["path"])(scope, body.receive, send)


class _Body:
    """The body of a request; it leaves ``all_open`` with its last byte.

    To the app, a body that stalls is one whose client left.
    """

    def __init__(self, receive: Receive, all_open: "set[_Body]") -> None:
        self._receive = receive
        self._all_open = all_open
        self._patience_s = PATIENCE_S
        self.is_stalled = False

    async def receive(self) -> Message:
        if self.is_stalled:
            return {"type": "http.disconnect"}
        if self not in self._all_open:  # what comes next says that the client left, at any time
            return await self._receive()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._patience_s):
                message = await self._receive()
        except TimeoutError:
            self.is_stalled = True
            return {"type": "http.disconnect"}
        gained_s = len(message.get("body", b"")) / MIN_BYTES_PER_S
        left_s = self._patience_s - (loop.time() - began) + gained_s
        self._patience_s = min(PATIENCE_S, max(left_s, 0.0))
        if not message.get("more_body", False):
            self._all_open.discard(self)
        return message


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
