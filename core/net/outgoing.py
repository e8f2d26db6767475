"""Requests of the server to others, for those who sent it a link or asked to be called back.

http and https alone, to the addresses that the guard permits, at every redirect; limited in
redirects, time and bytes. Proxies of the environment are not used: they would hide the peer.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from ssl import SSLContext
from urllib.parse import quote, urljoin, urlsplit

import httpcore2  # noqa: TID251

from core.errors import InvalidLink, SourceNotFound, SourceUnavailable, UploadTooLarge
from core.net.addresses import AddressGuard
from core.net.connections import Deadline, GuardedBackend

_SCHEMES = ("http", "https")
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429)
_MAX_URL = 4000
_AGENT = "stemcrate"


@dataclass(frozen=True, slots=True)
class OutgoingLimits:
    """Limits of a request with its redirects: ``total_s`` in all, ``idle_s`` without a byte."""

    max_bytes: int
    total_s: float = 3600.0
    idle_s: float = 30.0
    max_redirects: int = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its status, headers by name in lower case, the address that gave it."""

    status: int
    headers: Mapping[str, str]
    url: str
    body: Iterator[bytes] = field(default_factory=lambda: iter(()))


class Outgoing:
    """Makes requests, each on a connection of its own. Safe to use from several threads."""

    def __init__(self, guard: AddressGuard, limits: OutgoingLimits) -> None:
        self.guard = guard
        self.limits = limits

    @contextmanager
    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Iterator[Answer]:
        """Yield the answer to GET, after redirects; its body is read as it is iterated.

        A body longer than the limit ends in `UploadTooLarge`.

        Raises
        ------
        InvalidLink : this is no address of http or https.
        AddressForbidden : it leads, or is redirected, to an address that may not be called.
        SourceUnavailable : no answer in time, or one of 5xx.
        SourceNotFound : an answer of 4xx, or too many redirects.
        """
        deadline = Deadline(self.limits.total_s, self.limits.idle_s)
        for _ in range(self.limits.max_redirects + 1):
            with self._send("GET", url, headers or {}, b"", deadline) as answer:
                target = answer.headers.get("location")
                if answer.status not in _REDIRECTS or target is None:
                    _require_success(answer)
                    yield answer
                    return
                url = urljoin(url, target.encode("latin-1").decode(errors="replace"))
        raise SourceNotFound(
            f"{show_url(url)} comes after more than {self.limits.max_redirects} redirects."
        )

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body; return the answer without its body. Redirects are not followed.

        Raises `InvalidLink`, `AddressForbidden`, `SourceUnavailable`.
        """
        deadline = Deadline(self.limits.total_s, self.limits.idle_s)
        with self._send("POST", url, headers, content, deadline) as answer:
            return Answer(answer.status, answer.headers, answer.url)

    @contextmanager
    def ask(self, url: str, content: bytes, headers: Mapping[str, str]) -> Iterator[Answer]:
        """Send a body; yield the answer, of whatever status, with its body. For services.

        Redirects are not followed. Raises `InvalidLink`, `AddressForbidden`, `SourceUnavailable`,
        and `UploadTooLarge` as the body is read.
        """
        deadline = Deadline(self.limits.total_s, self.limits.idle_s)
        with self._send("POST", url, headers, content, deadline) as answer:
            yield answer

    @contextmanager
    def _send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, deadline: Deadline
    ) -> Iterator[Answer]:
        parsed, host = parse_url(url)
        sent = {"Host": host, "User-Agent": _AGENT, "Accept-Encoding": "identity", **headers}
        if content:
            sent["Content-Length"] = str(len(content))
        backend = GuardedBackend(self.guard, deadline)
        with (
            _failures_told(url),
            httpcore2.ConnectionPool(self._tls, network_backend=backend) as pool,
            pool.stream(
                method,
                parsed,
                headers=[(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
                content=content or None,
            ) as response,
        ):
            found = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in response.headers
            }
            yield Answer(response.status, found, url, self._limited(response, url))

    def _limited(self, response: httpcore2.Response, url: str) -> Iterator[bytes]:
        n_bytes = 0
        for chunk in response.iter_stream():
            n_bytes += len(chunk)
            if n_bytes > self.limits.max_bytes:
                raise too_large(url, self.limits.max_bytes)
            yield chunk

    @cached_property
    def _tls(self) -> SSLContext:
        return httpcore2.default_ssl_context()


def parse_url(url: str) -> tuple[httpcore2.URL, str]:
    """Return an address for the client, and its ``Host`` header.

    Raises `InvalidLink` for anything but http and https, and for what programs read differently.
    """
    try:
        parts = urlsplit(url)
        name = parts.hostname or ""
        host = name if ":" in name else name.encode("idna").decode()
        port = parts.port
    except (ValueError, UnicodeError) as error:
        raise _invalid(url) from error
    is_clean = len(url) <= _MAX_URL and not any(c < " " or c in "\\\x7f" for c in url)
    if parts.scheme not in _SCHEMES or not host or not is_clean:
        raise _invalid(url)
    if "@" in parts.netloc:
        raise InvalidLink(
            f"{parts.scheme}://…@{host} holds a user name.", hint="Use a link without one."
        )
    path = quote(parts.path or "/", safe="/%:=&~+!$,;'@()*")
    query = quote(parts.query, safe="/%:=&~+!$,;'@()*?[]")
    target = f"{path}?{query}" if query else path
    shown = f"[{host}]" if ":" in host else host
    return (
        httpcore2.URL(scheme=parts.scheme, host=host, port=port, target=target),
        shown if port is None else f"{shown}:{port}",
    )


def show_url(url: str) -> str:
    """Return an address for messages and logs: without its query, which may hold secrets."""
    return url.partition("?")[0][:200].encode("unicode_escape").decode()


def too_large(url: str, max_bytes: int) -> UploadTooLarge:
    """Return the error for a body beyond the limit."""
    return UploadTooLarge(
        f"{show_url(url)} is larger than {max_bytes} bytes.",
        hint="Use a smaller file, or raise MAX_UPLOAD_BYTES.",
    )


def _invalid(url: str) -> InvalidLink:
    return InvalidLink(
        f"'{show_url(url)}' is no address of http or https.",
        hint="Give a link such as https://example.org/song.flac.",
    )


def _require_success(answer: Answer) -> None:
    if answer.status < 400:
        return
    said = f"{show_url(answer.url)}: the server answered {answer.status}."
    if answer.status >= 500 or answer.status in _PASSING:
        raise SourceUnavailable(said, hint="Try again later.")
    raise SourceNotFound(said, hint="Check the link.")


@contextmanager
def _failures_told(url: str) -> Iterator[None]:
    """Translate what the client raises."""
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise SourceUnavailable(
            f"{show_url(url)} did not answer in time.", hint="Try again later."
        ) from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise SourceUnavailable(
            f"{show_url(url)} cannot be fetched: {str(error)[:200]}.", hint="Try again later."
        ) from error
