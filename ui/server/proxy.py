"""Answers requests below `/api` with the API's responses, streamed both ways.

The browser needs one address only: pages, components, uploads, events and downloads share an
origin. Bodies are passed on as they arrive, so memory does not grow with a file, and a client
that leaves ends the request to the API too.
"""

import logging
from collections.abc import AsyncIterator, Iterable
from urllib.parse import urlsplit

import anyio
import httpx2  # noqa: TID251
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from stemcrate.schemas.problem import MEDIA_TYPE, Problem
from ui.settings import API_PREFIX

logger = logging.getLogger(__name__)
# One line for each request of the browser says nothing that the API's log does not.
logging.getLogger("httpx2").setLevel(logging.WARNING)

PREFIX = API_PREFIX.encode()
CONNECT_TIMEOUT_S = 5.0
RETRY_AFTER_S = "2"
IDLE_S = 2.0
"""Below the 5 s after which uvicorn closes an idle connection: none is used as it closes."""
NOT_FORWARDED = frozenset(
    (
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect", b"host"),
        *(b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"),
    )
)
"""Headers of one connection (RFC 9110, 7.6.1), and those that the proxy writes itself."""
_PATHS = {b"location": b"/", b"link": b"</"}
RawHeaders = list[tuple[bytes, bytes]]


class ApiProxy:
    """Forwards requests below `/api` to the API at ``api_url``; ``app`` answers all others.

    ``api_key`` goes with requests that bring no key; empty: none does.
    """

    def __init__(self, app: ASGIApp, api_url: str, api_key: str = "") -> None:
        self._app = app
        self._api_key = api_key
        self._api = httpx2.URL(api_url.rstrip("/") + "/")
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(None, connect=CONNECT_TIMEOUT_S),
            # Each viewer of a running job holds a connection.
            limits=httpx2.Limits(max_connections=None, keepalive_expiry=IDLE_S),
            trust_env=False,
            follow_redirects=False,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "lifespan":
            async with self._client:
                await self._app(scope, receive, send)
            return
        if scope["type"] != "http" or not _is_below_prefix(scope["path"]):
            await self._app(scope, receive, send)
            return
        body = _Body(receive, has_chunks=_has_body(Headers(scope=scope)))
        async with anyio.create_task_group() as group:
            group.start_soon(body.cancel_when_client_left, group.cancel_scope)
            await self._forward(scope, body, send)
            group.cancel_scope.cancel()

    async def _forward(self, scope: Scope, body: "_Body", send: Send) -> None:
        request = httpx2.Request(
            scope["method"],
            self._address(scope),
            headers=request_headers(scope, self._api_key),
            content=body.chunks() if body.has_chunks else None,
        )
        asked = (scope["method"], scope["path"])
        try:
            response = await self._client.send(request, stream=True)
        except ClientDisconnect:
            return
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            await _respond(_away(scope["path"]), send)
            return
        except httpx2.TransportError as error:
            logger.warning("%s %s: %r", *asked, error)
            await _respond(_broken(scope["path"]), send)
            return
        try:
            await _pass_on(response, send)
        except httpx2.TransportError as error:
            # Left without an end, so that no client takes a part for the whole.
            logger.warning("%s %s was broken off: %r", *asked, error)
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()

    def _address(self, scope: Scope) -> httpx2.URL:
        path = scope["raw_path"].removeprefix(PREFIX).lstrip(b"/")
        query = scope["query_string"]
        raw_path = self._api.raw_path + path + (b"?" + query if query else b"")
        return self._api.copy_with(raw_path=raw_path)


class _Body:
    """The body of a request, and the end of its client."""

    def __init__(self, receive: Receive, *, has_chunks: bool) -> None:
        self._receive = receive
        self.has_chunks = has_chunks
        self._ended = anyio.Event()
        if not has_chunks:
            self._ended.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives. Raises `ClientDisconnect`."""
        has_more = True
        while has_more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            yield message.get("body", b"")
            has_more = message.get("more_body", False)
        self._ended.set()

    async def cancel_when_client_left(self, forwarding: anyio.CancelScope) -> None:
        """Cancel ``forwarding`` when the client closes its connection after the body."""
        await self._ended.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        forwarding.cancel()


def request_headers(scope: Scope, api_key: str = "") -> RawHeaders:
    """Return the headers that the API gets.

    A key that the client sends goes on; any other `Authorization` was for a proxy in front.
    A request of the workbench's own pages loses its `Origin`, so that CORS_ORIGINS need not list
    the workbench; pages of other origins are judged by the API.
    """
    headers = Headers(scope=scope)
    dropped = {*NOT_FORWARDED, *_connection_options(headers.getlist("connection"))}
    if is_same_origin(headers):
        dropped.add(b"origin")
    has_key = headers.get("authorization", "").lower().startswith("bearer ")
    if not has_key:
        dropped.add(b"authorization")
    kept = [(name, value) for name, value in scope["headers"] if name not in dropped]
    client = scope.get("client")
    hops = [*headers.getlist("x-forwarded-for"), *([client[0]] if client else [])]
    forwarded = {
        "x-forwarded-for": ", ".join(hops),
        "x-forwarded-host": headers.get("host", ""),
        "x-forwarded-proto": scope["scheme"],
        "authorization": f"Bearer {api_key}" if api_key and not has_key else "",
    }
    return kept + [(k.encode(), v.encode("latin-1")) for k, v in forwarded.items() if v]


def is_same_origin(headers: Headers) -> bool:
    """Return whether a request comes from a page of this server.

    Browsers tell it in `Sec-Fetch-Site`, also behind a proxy that speaks TLS; they leave it out
    on plain HTTP, where the name in `Origin` decides. Go's `http.CrossOriginProtection` does so.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == headers.get("host")


def response_headers(raw: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    """Return the headers that the client gets; paths in them lead below `/api`."""
    headers = [(name.lower(), value) for name, value in raw]
    options = [value.decode("latin-1") for name, value in headers if name == b"connection"]
    dropped = {
        *NOT_FORWARDED,
        *_connection_options(options),
        b"date",
        b"server",
    }  # uvicorn adds both
    return [(name, _below_prefix(name, value)) for name, value in headers if name not in dropped]


def _below_prefix(name: bytes, value: bytes) -> bytes:
    start = _PATHS.get(name)
    if start is None or not value.startswith(start):
        return value
    return start.removesuffix(b"/") + PREFIX + value[len(start) - 1 :]


def _connection_options(values: Iterable[str]) -> set[bytes]:
    options = (option.strip().lower() for value in values for option in value.split(","))
    return {option.encode("latin-1") for option in options}


async def _pass_on(response: httpx2.Response, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response_headers(response.headers.raw),
        }
    )
    async for chunk in response.aiter_raw():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _is_below_prefix(path: str) -> bool:
    return path == API_PREFIX or path.startswith(f"{API_PREFIX}/")


def _has_body(headers: Headers) -> bool:
    return "content-length" in headers or "transfer-encoding" in headers


def _away(path: str) -> Problem:
    return Problem.of(
        503,
        "api_unreachable",
        "Stemcrate's API does not answer.",
        path,
        hint="It may be starting. Try again in a moment.",
        retryable=True,
    )


def _broken(path: str) -> Problem:
    return Problem.of(
        502,
        "bad_gateway",
        "Stemcrate's API broke the connection before it answered.",
        path,
        hint="Look whether the request had an effect before you repeat it.",
    )


async def _respond(problem: Problem, send: Send) -> None:
    response = JSONResponse(
        problem.model_dump(mode="json", exclude_none=True),
        problem.status,
        {"Retry-After": RETRY_AFTER_S} if problem.retryable else None,
        MEDIA_TYPE,
    )
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )
    await send({"type": "http.response.body", "body": response.body})
