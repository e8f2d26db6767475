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
    files: Sequence[Upload], options: Options, progress: UploadProgress | None
) -> Iterator[dict[str, Any]]:
    """Open files and yield a request's ``data`` and ``headers``; the body can be sent once."""
    with ExitStack() as stack:
        if isinstance(options, ProcessingOptions):
            options = options.model_dump(exclude_unset=True)
        parts: list[tuple[str, Any]] = [(name, _written(v)) for name, v in options.items()]
        for file in files:
            if not isinstance(file, NamedFile):
                path = Path(file)
                file = NamedFile(path.name, stack.enter_context(path.open("rb")))
            file.content.seek(0)
            parts.append((FILE_FIELD, (file.name, file.content, "application/octet-stream")))
        encoder = MultipartEncoder(parts)
        data = MultipartEncoderMonitor(encoder, _reporting(encoder.len, progress))
        yield {"data": data, "headers": {"Content-Type": encoder.content_type}}


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
