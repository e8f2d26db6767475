"""HEAD wherever GET is: the same headers and no content (RFC 9110, 9.3.2).

The app answers as to a GET, and is stopped as soon as its headers are out: what a ZIP or a stream
of events would still make is not made.
"""

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """Answer HEAD with the headers of GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        with anyio.CancelScope() as rest:

            async def send_headers(message: Message) -> None:
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                rest.cancel()
                await anyio.sleep(0)  # where the app learns of it

            await self._app({**scope, "method": "GET"}, receive, send_headers)
