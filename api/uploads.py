"""Receives multipart uploads: parts go straight to the store as they arrive.

Nothing is spooled and memory does not grow with the file: each chunk is parsed, hashed,
counted and written before the next is read. The client's file name is only a label.
"""

import re
import unicodedata
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol, get_origin

import anyio
from fastapi import Request
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool

from api.problems import bad_request, unsupported_media_type
from core.artifacts.store import JobStore
from core.artifacts.uploads import Upload, UploadWriter
from core.errors import InvalidOption
from stemcrate.schemas.options import ProcessingOptions

FILE_FIELDS = ("file", "files")
LIST_FIELDS = {
    name: "," if get_origin(field.annotation) is tuple else ";"
    for name, field in ProcessingOptions.model_fields.items()
    if get_origin(field.annotation) in (tuple, dict)
}
"""What joins the parts of an option that may be sent in several."""
MAX_FIELD_BYTES = 8192
MAX_NAME_LENGTH = 200
BATCH_BYTES = 1 << 18
UNNAMED = "untitled"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one request."""

    max_upload_bytes: int
    max_files_per_job: int


class _Part(Protocol):
    def write(self, data: bytes) -> None: ...

    def end(self) -> None: ...


class Intake:
    """The files and fields of one request that have arrived so far."""

    def __init__(self, store: JobStore, job_id: str, limits: Limits) -> None:
        self.store = store
        self.job_id = job_id
        self.limits = limits
        self.uploads: list[Upload] = []
        self.n_files = 0
        self.open_writer = ExitStack()
        self._fields: dict[str, list[str]] = {}
        self._field_bytes: Counter[str] = Counter()

    def begin_part(self, name: str, file_name: str | None) -> _Part:
        """Start the next part. Raises `InvalidOption` for an unknown part."""
        if name in FILE_FIELDS:
            self._count_file()
            return _FilePart(self, clean_name(file_name or ""))
        if name not in ProcessingOptions.model_fields:
            raise InvalidOption(
                f"There is no option '{name}'.",
                hint="Send audio as 'file'; GET /config lists the options.",
                field=name,
            )
        return _FieldPart(self, name)

    def count_field(self, name: str, n_bytes: int) -> None:
        """Count the bytes of an option over all its parts. Raises `InvalidOption`."""
        self._field_bytes[name] += n_bytes
        if self._field_bytes[name] > MAX_FIELD_BYTES:
            raise InvalidOption(
                f"The option '{name}' is longer than {MAX_FIELD_BYTES} bytes.", field=name
            )

    def add_field(self, name: str, value: str) -> None:
        """Store an option; only lists may come in several parts."""
        self.count_field(name, 1)  # the boundary before the next part
        values = self._fields.setdefault(name, [])
        if values and name not in LIST_FIELDS:
            raise InvalidOption(
                f"The option '{name}' was given twice.", hint="Send it once.", field=name
            )
        values.append(value)

    def options(self) -> dict[str, str]:
        """Return the options as text, by name; the parts of a list are joined."""
        return {name: LIST_FIELDS.get(name, "").join(v) for name, v in self._fields.items()}

    def discard(self) -> None:
        """Remove everything that a refused request sent."""
        self.open_writer.close()
        for upload in self.uploads:
            self.store.release_upload(upload.sha256, self.job_id)

    def _count_file(self) -> None:
        self.n_files += 1
        if self.n_files > self.limits.max_files_per_job:
            raise InvalidOption(
                f"A job takes at most {self.limits.max_files_per_job} files.",
                hint="Send them as several jobs, or raise MAX_FILES_PER_JOB.",
                field="file",
            )


class _FilePart:
    def __init__(self, intake: Intake, name: str) -> None:
        self._intake = intake
        writer = intake.store.open_upload(name, intake.limits.max_upload_bytes)
        self._writer: UploadWriter = intake.open_writer.enter_context(writer)

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    def end(self) -> None:
        self._intake.uploads.append(self._writer.commit(self._intake.job_id))
        self._intake.open_writer.close()


class _FieldPart:
    def __init__(self, intake: Intake, name: str) -> None:
        self._intake = intake
        self._name = name
        self._data = bytearray()

    def write(self, data: bytes) -> None:
        self._intake.count_field(self._name, len(data))
        self._data += data

    def end(self) -> None:
        self._intake.add_field(self._name, _decode(bytes(self._data)))


class _FormReader:
    """Converts the parser's callbacks to parts of an `Intake`."""

    def __init__(self, boundary: bytes, intake: Intake) -> None:
        self._intake = intake
        self._header = bytearray()
        self._value = bytearray()
        self._disposition = b""
        self._part: _Part | None = None
        self._is_complete = False
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
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise bad_request("The multipart body is malformed") from error

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
            _decode(parameters[b"name"]), None if file_name is None else _decode(file_name)
        )

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        assert self._part is not None
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


def clean_name(name: str) -> str:
    """Return a label for a client's file name: its last component, printable, of bounded length.

    >>> clean_name("../../etc/passwd")
    'passwd'
    """
    name = unicodedata.normalize("NFC", name.replace("%22", '"').replace("\\", "/"))
    name = " ".join(re.sub(r"[\x00-\x1f]", "", name.rpartition("/")[2]).split())
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C")
    if not name.strip("."):
        return UNNAMED
    if len(name) > MAX_NAME_LENGTH:
        stem, dot, suffix = name.rpartition(".")
        suffix = dot + suffix if stem and len(suffix) <= 10 else ""
        name = name[: MAX_NAME_LENGTH - len(suffix)].rstrip() + suffix
    return name


def _boundary(request: Request) -> bytes:
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not parameters.get(b"boundary"):
        raise unsupported_media_type("The body must be multipart/form-data with a boundary")
    return parameters[b"boundary"]


def _decode(data: bytes) -> str:
    """Decode a header or field as UTF-8, the encoding of forms; older clients send Latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
