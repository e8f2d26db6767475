"""File responses: media types, names, byte ranges, and files made while they are sent."""

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path, PurePath

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api.ranges import requested_range
from core.artifacts.store import JobStore
from core.errors import ArtefactNotFound

MEDIA_TYPES = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".mp4": "audio/mp4",
    ".opus": "audio/ogg",
    ".ogg": "audio/ogg",
    ".json": "application/json",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m3u": "audio/x-mpegurl",
    ".csv": "text/csv; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".xml": "application/xml",
    ".nml": "application/xml",
}
UNKNOWN_TYPE = "application/octet-stream"
DOCUMENT_TYPES = sorted(
    {
        *(media_type for media_type in MEDIA_TYPES.values() if not media_type.startswith("audio/")),
        MEDIA_TYPES[".m3u"],
        "application/zip",
        UNKNOWN_TYPE,
    }
)
"""What exports of playlists are."""

_RANGE = re.compile(r"([0-9]{1,18})-([0-9]{0,18})|-[0-9]{1,18}")


class ArtefactResponse(FileResponse):
    """A file response with ranges; a missing file becomes a problem response."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file or the requested range.

        A range in other units than bytes, or a malformed one, is ignored (RFC 9110, 14.2).
        """
        if not _is_byte_range(Headers(scope=scope).get("range", "")):
            headers = [(name, v) for name, v in scope["headers"] if name != b"range"]
            scope = {**scope, "headers": headers}

        async def send_unless_refused(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                headers = {k.decode(): v.decode() for k, v in message["headers"]}
                kept = {k: v for k, v in headers.items() if k == "content-range"}
                raise HTTPException(message["status"], "The range cannot be satisfied", kept)
            await send(message)

        await super().__call__(scope, receive, send_unless_refused)


def _is_byte_range(header: str) -> bool:
    """Return whether a `Range` header is one of bytes and valid (RFC 9110, 14.1.1)."""
    unit, _, ranges = header.partition("=")
    found = [_RANGE.fullmatch(part.strip()) for part in ranges.split(",")]
    return unit.strip().lower() == "bytes" and all(
        match is not None and (not match[2] or int(match[1]) <= int(match[2])) for match in found
    )


def stored_response(
    store: JobStore,
    path: Path,
    *,
    n_bytes: int,
    asked: Request,
    headers: Mapping[str, str],
    redirect_s: float,
) -> Response:
    """Return the response with a file of a store, or the requested range of it.

    A file that is not on this host is sent while it comes from the object store; ``redirect_s``
    lets clients get it there for so many seconds. Raises `ArtefactNotFound`.
    """
    media_type = media_type_of(path.name)
    if store.objects is None or path.is_file():
        if not path.is_file():
            raise _gone(path)
        return ArtefactResponse(path, media_type=media_type, headers=headers)
    name = path.relative_to(store.data_dir).as_posix()
    address = store.objects.address(name, redirect_s) if redirect_s else None
    if address is not None:
        return RedirectResponse(address, headers={"Cache-Control": "no-store"})
    part = requested_range(
        asked.headers.get("range"),
        asked.headers.get("if-range"),
        etag=headers["ETag"],
        n_bytes=n_bytes,
    )
    sent = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(n_bytes)}
    if part is not None:
        sent["Content-Length"] = str(len(part))
        sent["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{n_bytes}"
    try:
        chunks = store.objects.stream(name, part or range(n_bytes))
    except FileNotFoundError as error:
        raise _gone(path) from error
    status = 200 if part is None else 206
    return StreamingResponse(chunks, status_code=status, media_type=media_type, headers=sent)


def _gone(path: Path) -> ArtefactNotFound:
    return ArtefactNotFound(
        f"The file of '{path.name}' no longer exists.", hint="Run the job again to recreate it."
    )


class MakingResponse(StreamingResponse):
    """A file that is made while it is sent; making it ends with the answer, however that ends.

    Parameters
    ----------
    chunks : the bytes; taking one may last.
    close : ends the making, also while a chunk is waited for, and lets go what it needed.
    """

    def __init__(
        self,
        chunks: Iterator[bytes],
        close: Callable[[], None],
        *,
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(_take(chunks), media_type=media_type, headers=headers)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file until its end, or until the client leaves."""
        try:
            with anyio.CancelScope() as sending:
                async with anyio.create_task_group() as group:
                    group.start_soon(_cancel_when_left, receive, sending)
                    await self.stream_response(send)
                    group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._close)


async def _take(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield chunks; a cancelled wait leaves its thread behind, which `close` ends."""
    while chunk := await anyio.to_thread.run_sync(next, chunks, b"", abandon_on_cancel=True):
        yield chunk


async def _cancel_when_left(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def media_type_of(file_name: str) -> str:
    """Return the media type of an artefact by its suffix."""
    return MEDIA_TYPES.get(PurePath(file_name).suffix.lower(), UNKNOWN_TYPE)
