"""`Idempotency-Key`: a POST that is repeated with the same key is done once.

The body is hashed while it is received, without the boundary of a multipart body, which clients
choose anew each time.
"""

import asyncio
import hashlib
import re
from contextlib import suppress
from email.message import Message as EmailMessage
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import Caller
from api.problems import bad_idempotency_key, problem_response
from core.errors import DatabaseUnavailable, IdempotencyKeyReused, StemcrateError
from core.jobs.idempotency import RENEWED_EVERY_S, Answer, IdempotentRequests

KEY = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
MAX_BODY_BYTES = 1_000_000
"""Of a response that is kept."""
_USABLE = re.compile(r"[\x21-\x7e]{1,255}")
_NOT_KEPT = {"date", "server", "x-request-id", "content-length", "connection"}


class Idempotency:
    """Answers a repeated POST with what was answered first; refuses its key for another one.

    Only answers from 200 to 299 are kept: a refused request left nothing, and its key is free.
    """

    def __init__(self, app: ASGIApp, database_url: str) -> None:
        self._app = app
        self._requests = IdempotentRequests(database_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        key = headers.get(KEY)
        if key is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if not _USABLE.fullmatch(key):
            await bad_idempotency_key(scope["path"])(scope, receive, send)
            return
        try:
            await self._run(scope, receive, send, _client_of(scope), key)
        except StemcrateError as error:
            await problem_response(error, scope["method"], scope["path"])(scope, receive, send)

    async def _run(self, scope: Scope, receive: Receive, send: Send, client: str, key: str) -> None:
        begun = await run_in_threadpool(self._requests.begin, client, key)
        body = _HashedBody(scope, receive)
        if isinstance(begun, Answer):
            await _replay(begun, body, send, key)
            return
        scope.setdefault("state", {})["job_id"] = begun
        response = _Response(send)
        renewing = asyncio.create_task(self._renew(client, key))
        try:
            await self._app(scope, body.receive, response.send)
        finally:
            renewing.cancel()
            # Not cancelled with the request: a key must not stay held.
            await asyncio.shield(self._conclude(client, key, body, response))

    async def _renew(self, client: str, key: str) -> None:
        while True:
            await asyncio.sleep(RENEWED_EVERY_S)
            with suppress(DatabaseUnavailable):  # the next time, or the row expires
                await run_in_threadpool(self._requests.renew, client, key)

    async def _conclude(
        self, client: str, key: str, body: "_HashedBody", response: "_Response"
    ) -> None:
        with suppress(DatabaseUnavailable):
            if response.is_kept and body.is_complete:
                answer = response.answer(body.fingerprint())
                await run_in_threadpool(self._requests.keep, client, key, answer)
            else:
                await run_in_threadpool(self._requests.release, client, key)


async def _replay(answer: Answer, body: "_HashedBody", send: Send, key: str) -> None:
    while not body.is_complete:
        if (await body.receive())["type"] == "http.disconnect":
            return
    if body.fingerprint() != answer.fingerprint:
        raise IdempotencyKeyReused(
            f"Another request had the Idempotency-Key '{key}'.",
            hint="Use a new key for each new request.",
        )
    headers = [*answer.headers, (REPLAYED, "true"), ("content-length", str(len(answer.body)))]
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})


def _client_of(scope: Scope) -> str:
    """Separate clients by their keys: nobody gets the answers of another."""
    caller: Caller = scope["state"]["caller"]
    return hashlib.sha256(f"{caller.owner} {caller.key_id}".encode()).hexdigest()


class _HashedBody:
    """Hashes a request while its body is received."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        content_type = EmailMessage()
        content_type["Content-Type"] = Headers(scope=scope).get("content-type", "")
        self._receive = receive
        self._boundary = str(content_type.get_param("boundary", "")).encode()
        self._tail = b""
        self._digest = hashlib.sha256()
        query = sorted(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        self._digest.update(repr((scope["path"], query, content_type.get_content_type())).encode())
        self.is_complete = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._update(message.get("body", b""))
            self.is_complete = self.is_complete or not message.get("more_body", False)
        return message

    def fingerprint(self) -> str:
        """Return the SHA-256 of what was received, in hexadecimal."""
        whole = self._digest.copy()
        whole.update(self._tail)
        return whole.hexdigest()

    def _update(self, chunk: bytes) -> None:
        if not self._boundary:
            self._digest.update(chunk)
            return
        held, start = self._tail + chunk, 0
        while (found := held.find(self._boundary, start)) >= 0:
            self._digest.update(held[start:found])
            start = found + len(self._boundary)
        # The next chunk may begin in the middle of a boundary.
        stop = max(start, len(held) - len(self._boundary) + 1)
        self._digest.update(held[start:stop])
        self._tail = held[stop:]


class _Response:
    """Notes a response while it is sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._body = b""
        self._is_complete = False

    @property
    def is_kept(self) -> bool:
        is_small = len(self._body) <= MAX_BODY_BYTES
        return self._is_complete and is_small and 200 <= self._status < 300

    def answer(self, fingerprint: str) -> Answer:
        return Answer(fingerprint, self._status, self._headers, self._body)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            named = ((n.decode("latin-1"), v.decode("latin-1")) for n, v in message["headers"])
            self._headers = [(n, v) for n, v in named if n.lower() not in _NOT_KEPT]
        elif message["type"] == "http.response.body":
            if len(self._body) <= MAX_BODY_BYTES:
                self._body += message.get("body", b"")
            self._is_complete = not message.get("more_body", False)
        await self._send(message)
