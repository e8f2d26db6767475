"""Receives multipart uploads: parts go straight to the store as they arrive.

Nothing is spooled and memory does not grow with the file: each chunk is parsed, hashed,
counted and written before the next is read.
"""

import anyio
from fastapi import Request
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool

from api.intake import Intake, Part, decode_text
from api.problems import bad_request, unsupported_media_type

MAX_OUTSIDE_BYTES = 1 << 20
"""Bytes of a body before, between and after its parts, with their headers."""
BATCH_BYTES = 1 << 18


class _FormReader:
    """Converts the parser's callbacks to parts of an `Intake`."""

    def __init__(self, boundary: bytes, intake: Intake) -> None:
        self._intake = intake
        self._header = bytearray()
        self._value = bytearray()
        self._disposition = b""
        self._part: Part | None = None
        self._is_complete = False
        self._n_outside = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    def feed(self, data: bytes) -> None:
        self._n_outside += len(data)  # less what the parser passes on
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise bad_request("The multipart body is malformed") from error
        if self._n_outside > MAX_OUTSIDE_BYTES:
            raise bad_request(f"The body has more than {MAX_OUTSIDE_BYTES} bytes outside its parts")

    def finish(self) -> None:
        self._parser.finalize()
        if not self._is_complete:
            raise bad_request("The multipart body ends before its last boundary")

    def _on_part_begin(self) -> None:
        self._disposition = b""
        self._part = None

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        _, parameters = parse_options_header(self._disposition)
        if b"name" not in parameters:
            raise bad_request("A part of the body has no name")
        file_name = parameters.get(b"filename")
        self._part = self._intake.begin_part(
            decode_text(parameters[b"name"]), None if file_name is None else decode_text(file_name)
        )

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        assert self._part is not None
        self._n_outside -= end - start
        self._part.write(data[start:end])

    def _on_part_end(self) -> None:
        assert self._part is not None
        self._part.end()

    def _on_end(self) -> None:
        self._is_complete = True


async def receive_form(request: Request, intake: Intake) -> None:
    """Read the body into ``intake``, off the event loop, in batches of a fixed size.

    Raises `UploadTooLarge` and `InvalidOption` as early as possible; the rest of the body
    is not read then.
    """
    try:
        reader = _FormReader(_boundary(request), intake)
    except FormParserError as error:
        raise bad_request("The boundary of the body is not usable") from error
    batch = bytearray()
    async for chunk in request.stream():
        batch += chunk
        if len(batch) >= BATCH_BYTES or not chunk:
            await run_in_threadpool(reader.feed, bytes(batch))
            batch.clear()
    await run_in_threadpool(reader.finish)


async def discard(intake: Intake) -> None:
    """Discard an intake, even while the request is being cancelled."""
    with anyio.CancelScope(shield=True):
        await run_in_threadpool(intake.discard)


def _boundary(request: Request) -> bytes:
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not parameters.get(b"boundary"):
        raise unsupported_media_type("The body must be multipart/form-data with a boundary")
    return parameters[b"boundary"]
