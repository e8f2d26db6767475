"""Streamed multipart bodies: memory does not grow with the files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

from requests_toolbelt import MultipartEncoder, MultipartEncoderMonitor  # noqa: TID251

from stemcrate.schemas.options import ProcessingOptions

FILE_FIELD = "file"
UPLOADS_FIELD = "upload_ids"
WEBHOOK_FIELD = "webhook_id"
JOB_FIELD = "from_job"
LIBRARY_FIELD = "from_library"


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file to upload: a seekable binary stream and its name."""

    name: str
    content: BinaryIO


Upload = str | PathLike[str] | NamedFile
"""A path, whose last component becomes the name; or an open file with a name."""
OptionValue = str | float | bool | Sequence[Any] | Mapping[str, Sequence[str]]
Options = ProcessingOptions | Mapping[str, OptionValue]
"""Options of a job: those that are set in a model, or by name, as text or as Python values."""
UploadProgress = Callable[[int, int], None]
"""Called with the bytes sent so far and those of the whole request."""


@contextmanager
def open_body(
    files: Sequence[Upload],
    options: Options,
    progress: UploadProgress | None,
    *,
    upload_ids: Sequence[str] = (),
    from_job: str | None = None,
    track_ids: Sequence[str] = (),
    webhook_id: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Open files and yield a request's ``data`` and ``headers``; the body can be sent once."""
    with ExitStack() as stack:
        parts: list[tuple[str, Any]] = list(write_options(options).items())
        parts += [(UPLOADS_FIELD, upload_id) for upload_id in upload_ids]
        parts += [(JOB_FIELD, from_job)] if from_job else []
        parts += [(LIBRARY_FIELD, track_id) for track_id in track_ids]
        parts += [(WEBHOOK_FIELD, webhook_id)] if webhook_id else []
        for given in files:
            file = stack.enter_context(opened(given))
            file.content.seek(0)
            parts.append((FILE_FIELD, (file.name, file.content, "application/octet-stream")))
        encoder = MultipartEncoder(parts)
        data = MultipartEncoderMonitor(encoder, _reporting(encoder.len, progress))
        yield {"data": data, "headers": {"Content-Type": encoder.content_type}}


def write_options(options: Options) -> dict[str, str]:
    """Return the options of a job as text, by name."""
    if isinstance(options, ProcessingOptions):
        options = options.model_dump(exclude_unset=True)
    return {name: _written(value) for name, value in options.items()}


@contextmanager
def opened(file: Upload) -> Iterator[NamedFile]:
    """Open a path; a file that is open already stays open."""
    if isinstance(file, NamedFile):
        yield file
        return
    path = Path(file)
    with path.open("rb") as content:
        yield NamedFile(path.name, content)


def _reporting(
    n_bytes: int, progress: UploadProgress | None
) -> Callable[[MultipartEncoderMonitor], None] | None:
    return progress and (lambda monitor: progress(monitor.bytes_read, n_bytes))


def _written(value: OptionValue) -> str:
    """Format an option's value as a form field.

    >>> _written(["tempo", "key"]), _written({"karaoke": ["drums", "bass"]}), _written(True)
    ('tempo,key', 'karaoke=drums+bass', 'true')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ";".join(f"{name}={'+'.join(stems)}" for name, stems in value.items())
    if isinstance(value, Sequence):
        return ",".join(map(str, value))
    return str(value)
