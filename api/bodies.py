"""JSON bodies, which are held in memory, unlike uploads: limited to a useful size."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message

from api.problems import body_too_large

MAX_JSON_BYTES = 1 << 24  # the ids of some 200,000 tracks


class JsonRoute(APIRoute):
    """A route whose body is read up to `MAX_JSON_BYTES`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Pass the body to the route's handler if it is within the limit."""
        handle = super().get_route_handler()

        async def handle_bounded(request: Request) -> Response:
            n_bytes = 0

            async def receive() -> Message:
                nonlocal n_bytes
                message = await request.receive()
                n_bytes += len(message.get("body", b""))
                if n_bytes > MAX_JSON_BYTES:
                    raise body_too_large(MAX_JSON_BYTES)
                return message

            return await handle(Request(request.scope, receive))

        return handle_bounded
