"""Download of a file: resumed, verified and atomic.

The partial file is kept beside the destination as ``<name>.<digits of its SHA-256>.part`` until it
is complete; the next download of the same content, in any process, resumes it.
"""

import hashlib
import http.client
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from filelock import FileLock

from core.errors import ModelUnavailable, UnsafeWeights
from core.system.disk import storage_errors

_BLOCK_BYTES = 1 << 20
_TIMEOUT_S = 30
MAX_ATTEMPTS = 5  # without a byte in between
_BROKEN = (URLError, http.client.HTTPException, ConnectionError, TimeoutError)
_HEADERS = {"User-Agent": "stemcrate", "Accept-Encoding": "identity"}

ByteProgress = Callable[[int, int | None], None]
"""Takes the bytes that are there, and those of the whole; None if that is not known."""


def download(
    url: str,
    destination: Path,
    *,
    sha256: str,
    progress: ByteProgress | None = None,
    pause_s: float = 1.0,
) -> None:
    """Download a file unless it exists.

    Parameters
    ----------
    url : http or https; redirects are followed.
    destination : its folder is created; only the complete, verified file is written there.
    sha256 : hexadecimal, of the content.
    progress : called with every block of data; the bytes do not decrease while the server
        understands ranges.
    pause_s : seconds before the second attempt after a broken connection, doubled for each further
        one without data.

    Raises
    ------
    ModelUnavailable : the server does not answer with the file. Partial data are kept.
    UnsafeWeights : the SHA-256 of the data differs; they are deleted.
    StorageFull : no space on the disk.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = _part_of(destination, sha256)
    lock = part.with_name(f"{part.name}.lock")
    with storage_errors(destination):
        with FileLock(lock):
            if not destination.exists():
                _complete(url, part, progress or (lambda *_: None), pause_s)
                _require_content(part, sha256, destination.name)
                part.replace(destination)
        lock.unlink(missing_ok=True)


def bytes_there(destination: Path, sha256: str) -> int:
    """Return the bytes of a file that `download` does not have to fetch any more."""
    for path in (destination, _part_of(destination, sha256)):
        if path.is_file():
            return path.stat().st_size
    return 0


def content_length(url: str) -> int | None:
    """Ask a server for the size of a file in bytes; None if it does not tell."""
    try:
        with urlopen(Request(url, headers=_HEADERS, method="HEAD"), timeout=_TIMEOUT_S) as answer:
            length = answer.headers.get("Content-Length")
    except HTTPError as error:
        error.close()
        return None
    except _BROKEN:
        return None
    return None if length is None else int(length)


def _part_of(destination: Path, sha256: str) -> Path:
    return destination.with_name(f"{destination.name}.{sha256[:16]}.part")


def _complete(url: str, part: Path, progress: ByteProgress, pause_s: float) -> None:
    """Append the missing data to the partial file, over as many connections as needed."""
    n_failures = 0
    with part.open("ab") as file:
        while True:
            before = file.tell()
            try:
                if _append(url, file, progress):
                    break
            except HTTPError as error:
                error.close()
                if error.code < 500:
                    raise _unavailable(part, f"the server answered {error.code}") from error
                reason: Exception = error
            except _BROKEN as error:
                reason = error
            else:
                reason = ConnectionError("the connection was closed")
            n_failures = 1 if file.tell() > before else n_failures + 1
            if n_failures >= MAX_ATTEMPTS:
                raise _unavailable(part, str(reason)) from reason
            time.sleep(pause_s * 2 ** (n_failures - 1))
        file.flush()
        os.fsync(file.fileno())


def _append(url: str, file: IO[bytes], progress: ByteProgress) -> bool:
    """Read one response to its end; return whether the file is complete."""
    start = file.tell()
    headers = {**_HEADERS, "Range": f"bytes={start}-"} if start else _HEADERS
    try:
        answer = urlopen(Request(url, headers=headers), timeout=_TIMEOUT_S)
    except HTTPError as error:
        if error.code == 416 and start:  # no data after the end: it was complete
            error.close()
            return True
        raise
    with answer:
        if start and answer.status != 206:  # the server ignored the range
            file.seek(0)
            file.truncate()
            start = 0
        length = answer.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        while block := answer.read1(_BLOCK_BYTES):
            file.write(block)
            progress(file.tell(), total)
    return total is None or file.tell() >= total


def _require_content(part: Path, sha256: str, name: str) -> None:
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256:
        part.unlink()
        raise UnsafeWeights(
            f"{name} came with SHA-256 {digest[:16]}…, not {sha256[:16]}…, and was deleted.",
            hint="Fetch it again. If that does not help, the publisher has replaced the file, or "
            "the connection is tampered with.",
            field="model",
        )


def _unavailable(part: Path, reason: str) -> ModelUnavailable:
    name = part.name.rsplit(".", 2)[0]
    return ModelUnavailable(
        f"{name} could not be fetched: {reason}.",
        hint="Check the network and fetch it again: the download goes on where it stopped.",
        field="model",
    )
