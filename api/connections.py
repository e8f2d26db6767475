"""Limits of a server's connections, for API and workbench.

uvicorn limits the time between two requests, and nothing else: half-sent requests stay open for
ever, until no file can be opened any more. Here a connection has a time to send the head of its
request, and one that waits for a request makes room for a new one when there are too many.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S = 20.0
"""Time for the head of a request, and for the rest of a body that was answered before its end."""
UNREAD_S = 300.0
"""Time in which a client has to take some of its response: browsers stop reading for a while
when a player is paused, and resume a connection that was lost."""
SHUTDOWN_S = 5
"""Time for running requests when the server stops; `stemcrate serve` kills it after 10 s."""
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Content-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n"
)


def server_options(max_connections: int) -> dict[str, Any]:
    """Return the options of uvicorn that limit connections, and keep its log lines in ours."""
    return {
        "http": limited_protocol(max_connections),
        "timeout_graceful_shutdown": SHUTDOWN_S,
        "log_level": "warning",
        "log_config": None,
    }


def limited_protocol(max_connections: int) -> type[H11Protocol]:
    """Return a protocol for uvicorn of which a server has at most so many connections.

    WebSockets may take half of them.
    """
    waiting: dict[LimitedConnection, None] = {}

    class Connection(LimitedConnection):
        limit = max_connections
        oldest_first = waiting

    return Connection


class LimitedConnection(H11Protocol):
    """One connection; see `limited_protocol`."""

    limit: int
    oldest_first: "dict[LimitedConnection, None]"
    """Connections that wait for a request or are in its head, by when they began to."""
    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for the connection, or refuse it if all others are in use."""
        super().connection_made(transport)
        if len(self.connections) > self.limit:
            oldest = next(iter(self.oldest_first), None)
            if oldest is None:
                self._refuse()
                return
            oldest.drop()
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget()
        self._stop_unread_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        super().data_received(data)
        self._follow_request()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._follow_request()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over to the WebSocket's protocol, if there is room."""
        n_sockets = sum(not isinstance(other, H11Protocol) for other in self.connections)
        if n_sockets >= self.limit // 2:
            self._refuse()
            return
        self._forget()
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        """Give the client a time to read on."""
        super().pause_writing()
        self._stop_unread_timer()
        self._unread = self.loop.call_later(UNREAD_S, self.drop)

    def resume_writing(self) -> None:
        """Note that the client reads."""
        super().resume_writing()
        self._stop_unread_timer()

    def drop(self) -> None:
        """Close the connection at once."""
        self._forget()
        self.connections.discard(self)
        self.transport.abort()

    def _follow_request(self) -> None:
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if is_answering or self.transport.get_protocol() is not self:
            self._forget()
        elif self not in self.oldest_first:
            self._await_request()

    def _await_request(self) -> None:
        self.oldest_first[self] = None
        self._deadline = self.loop.call_later(REQUEST_S, self._expire, 0)

    def _expire(self, n_left_before: int) -> None:
        """Drop the connection, unless the client still takes what it was sent."""
        n_left = self.transport.get_write_buffer_size()
        if n_left and (not n_left_before or n_left < n_left_before):
            self._deadline = self.loop.call_later(REQUEST_S, self._expire, n_left)
        else:
            self.drop()

    def _forget(self) -> None:
        self.oldest_first.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _stop_unread_timer(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _refuse(self) -> None:
        self._forget()
        self.connections.discard(self)
        self.transport.write(_BUSY)
        self.transport.close()
