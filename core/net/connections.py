"""Connections to the addresses that a guard permits, limited in time.

The address is checked twice: as the name was resolved, so that nothing forbidden is even connected
to, and as the peer of the connected socket, before anything is sent. A name that resolves
differently the next time (DNS rebinding) gains nothing: names are resolved once a connection.
"""

import socket
import time
from collections.abc import Callable, Iterable
from ssl import SSLContext
from typing import Any

import httpcore2  # noqa: TID251

from core.net.addresses import AddressGuard

_MAX_ADDRESSES = 4
"""Addresses of a name that are tried, one after the other."""


class Deadline:
    """The end of the time that a whole exchange has, and of a wait within it."""

    def __init__(self, total_s: float, idle_s: float) -> None:
        self._ends_at = time.monotonic() + total_s
        self._idle_s = idle_s

    def wait_s(self) -> float:
        """Return how long to wait now. Raises `httpcore2.TimeoutException` after the end."""
        left_s = self._ends_at - time.monotonic()
        if left_s <= 0:
            raise httpcore2.ReadTimeout("it took too long")
        return min(left_s, self._idle_s)


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens connections for an HTTP client: to permitted addresses only, until the deadline."""

    def __init__(self, guard: AddressGuard, deadline: Deadline) -> None:
        self._guard = guard
        self._deadline = deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first permitted address of a host that answers.

        Raises
        ------
        AddressForbidden : one of its addresses is forbidden.
        httpcore2.NetworkError, httpcore2.TimeoutException : none answers.
        """
        failure: Exception = httpcore2.ConnectError(f"there is no host {host[:200]}")
        for address in self._resolve(host, port):
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self._deadline.wait_s(), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
                continue
            try:
                self._guard.require(host, stream.get_extra_info("server_addr")[0])
            except BaseException:
                stream.close()
                raise
            return _TimedStream(stream, self._deadline.wait_s)
        raise failure

    def _resolve(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"there is no host {host[:200]}") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))[:_MAX_ADDRESSES]
        for address in addresses:
            self._guard.require(host, address)
        return addresses


class _TimedStream(httpcore2.NetworkStream):
    """A connection whose every wait ends with the deadline of the whole exchange."""

    def __init__(self, stream: httpcore2.NetworkStream, wait_s: Callable[[], float]) -> None:
        self._stream = stream
        self._wait_s = wait_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._wait_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._wait_s())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._wait_s())
        return _TimedStream(stream, self._wait_s)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
