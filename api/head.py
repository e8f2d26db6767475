"""HEAD for every GET route: the same headers without content (RFC 9110, 9.3.2).

The app handles a GET and is stopped once its headers are sent: the content of a ZIP or a stream
of events is not produced.
"""

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """Answers HEAD with the headers of GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        with anyio.CancelScope() as rest:

            async def send_headers(message: Message) -> None:
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                rest.cancel()
                await anyio.sleep(0)  # where the app notices it

            await self._app({**scope, "method": "GET"}, receive, send_headers)
