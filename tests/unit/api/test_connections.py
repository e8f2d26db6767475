"""A server's connections: none waits for ever, and those that wait make room for others."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from api.connections import LimitedConnection, server_options
from tests.conditions import PATIENCE_S, wait_until

HALF = b"GET /now HTTP/1.1\r\nHost: localhost\r\n"
NOW = HALF + b"\r\n"
LATER = b"GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
SOCKET = (
    b"GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
LIMIT = 6


class Server:
    """An app that answers at once, or when it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.n_held = 0
        options = server_options(LIMIT)
        config = uvicorn.Config(self.app, port=0, lifespan="off", interface="asgi3", **options)
        self.server = uvicorn.Server(config)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await receive()
            return
        if scope["path"] == "/later":
            self.n_held += 1
            while not self.released.is_set():
                await asyncio.sleep(0.02)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        body = b"x" * 50_000_000 if scope["path"] == "/large" else b"answered"
        await send({"type": "http.response.body", "body": body})

    def connect(self) -> socket.socket:
        address = self.server.servers[0].sockets[0].getsockname()[:2]
        return socket.create_connection(address, timeout=PATIENCE_S)

    def ask(self, request: bytes) -> bytes:
        """Send a request and give the start of the answer."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_answer(connection)

    @property
    def n_connections(self) -> int:
        return len(self.server.server_state.connections)


@contextmanager
def running() -> Iterator[Server]:
    held = Server()
    thread = threading.Thread(target=held.server.run)
    thread.start()
    try:
        wait_until(lambda: held.server.started)
        yield held
    finally:
        held.released.set()
        held.server.should_exit = True
        thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def read_answer(connection: socket.socket) -> bytes:
    """Read to the end of an answer, or of the connection."""
    found = b""
    while not found.endswith(b"0\r\n\r\n") and (data := connection.recv(4096)):
        found += data
    return found


def is_closed(connection: socket.socket) -> bool:
    """Wait for the end of a connection; what was sent before is read."""
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionResetError:
        pass
    return True


def test_the_head_of_a_request_has_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that trickle in do not renew it."""
    monkeypatch.setattr("api.connections.REQUEST_S", 0.5)
    with running() as server, server.connect() as slow, server.connect() as silent:
        slow.sendall(HALF)
        slow.sendall(b"X-More: 1\r\n")
        assert is_closed(slow)
        assert is_closed(silent)
        wait_until(lambda: server.n_connections == 0)


def test_a_request_in_time_may_be_answered_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.connections.REQUEST_S", 2.0)
    with running() as server, server.connect() as connection:
        connection.sendall(LATER)
        wait_until(lambda: server.n_held)
        with server.connect() as silent:
            assert is_closed(silent)  # the time is over
        server.released.set()
        assert b"answered" in read_answer(connection)
        connection.sendall(NOW)  # and the connection can be used again
        assert b"answered" in read_answer(connection)


def test_the_oldest_half_sent_request_makes_room(server: Server) -> None:
    with ExitStack() as stack:
        half = [stack.enter_context(server.connect()) for _ in range(LIMIT)]
        for connection in half:
            connection.sendall(HALF)
        wait_until(lambda: server.n_connections == LIMIT)
        assert b"answered" in server.ask(NOW)
        assert is_closed(half[0])
        half[-1].sendall(b"\r\n")
        assert b"answered" in read_answer(half[-1])


def test_a_connection_too_many_is_told_so(server: Server) -> None:
    """Requests that are being answered are not given up for another one."""
    with ExitStack() as stack:
        busy = [stack.enter_context(server.connect()) for _ in range(LIMIT)]
        for connection in busy:
            connection.sendall(LATER)
        wait_until(lambda: server.n_held == LIMIT)
        refusal = server.ask(b"")
        assert refusal.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 5" in refusal
        server.released.set()
        for connection in busy:
            assert b"answered" in read_answer(connection)


def test_websockets_leave_half_of_the_connections(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(LIMIT // 2):
            connection = stack.enter_context(server.connect())
            connection.sendall(SOCKET)
            assert b"101 Switching" in connection.recv(4096)
        assert server.ask(SOCKET).startswith(b"HTTP/1.1 503 ")
        assert b"answered" in server.ask(NOW)


def test_a_response_that_nobody_reads_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.connections.UNREAD_S", 0.3)
    with running() as server, server.connect() as connection:
        connection.sendall(LARGE)
        assert connection.recv(10)
        wait_until(lambda: server.n_connections == 0)


def test_a_response_that_is_read_slowly_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time for the next request must not cut what is still on its way."""
    monkeypatch.setattr("api.connections.REQUEST_S", 1.0)
    with running() as server, server.connect() as connection:
        connection.sendall(LARGE)
        n_bytes = 0
        deadlines: set[object] = set()

        def read_on() -> bool:
            nonlocal n_bytes
            n_bytes += len(connection.recv(1 << 16))
            (served,) = server.server.server_state.connections
            assert isinstance(served, LimitedConnection)
            deadlines.add(served._deadline)
            return len(deadlines - {None}) == 3

        wait_until(read_on)
        while data := connection.recv(1 << 20):
            n_bytes += len(data)
        assert n_bytes > 50_000_000


def test_a_body_after_the_answer_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """2.4 GB were taken after a multipart body had been answered."""
    monkeypatch.setattr("api.connections.REQUEST_S", 0.5)
    with running() as server, server.connect() as connection:
        connection.sendall(
            b"POST /now HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n"
        )
        assert b"answered" in read_answer(connection)
        with pytest.raises(ConnectionError):
            while True:
                connection.sendall(b"x" * 100)
