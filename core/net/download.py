"""Download of a foreign file: streamed, resumed where the server permits, limited.

The partial file is kept beside the destination as ``<name>.part``, with the entity tag of its
content in ``<name>.part.etag``; the next download resumes it while the server has the same content.
"""

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from core.errors import SourceNotFound, SourceUnavailable
from core.net.outgoing import Answer, Outgoing, show_url, too_large
from core.system.disk import storage_errors

MAX_ATTEMPTS = 3
"""Attempts without a byte in between."""
SLOW_S = 30.0
"""In each such time, `SLOW_BYTES` have to arrive."""
SLOW_BYTES = 30_000

ByteProgress = Callable[[int, int | None], None]
"""Takes the bytes that are there, and those of the whole; None if that is not known."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that has arrived: its final address, its name as told, its entity tag."""

    url: str
    name: str
    etag: str | None


def download(
    outgoing: Outgoing,
    url: str,
    destination: Path,
    *,
    known_etag: str | None = None,
    progress: ByteProgress | None = None,
    pause_s: float = 1.0,
) -> Downloaded | None:
    """Download a file to ``destination``, in a folder that exists; nobody else writes it.

    Parameters
    ----------
    known_etag : of the content that the caller has already.
    progress : called with every block of data; what it raises ends the download.
    pause_s : seconds before the second attempt after a broken connection, doubled for each further.

    Returns
    -------
    What arrived; None where the server still has the content with ``known_etag``.

    Raises
    ------
    InvalidLink, AddressForbidden, SourceNotFound, UploadTooLarge : nothing is left.
    SourceUnavailable : the server does not answer, or breaks off too often; the part is kept.
    StorageFull : no space on the disk.
    """
    part = _Part(destination)
    n_failures, began_at = 0, time.monotonic()
    while True:
        before = part.n_bytes()
        try:
            with storage_errors(destination):
                return _attempt(outgoing, url, part, known_etag, progress or (lambda *_: None))
        except SourceUnavailable:
            n_failures = 1 if part.n_bytes() > before else n_failures + 1
            is_late = time.monotonic() - began_at > outgoing.limits.total_s
            if n_failures >= MAX_ATTEMPTS or is_late:
                raise
            time.sleep(pause_s * 2 ** (n_failures - 1))
        except BaseException:
            part.discard()
            raise


class _Part:
    """The partial file of a destination, and the entity tag of its content."""

    def __init__(self, destination: Path) -> None:
        self.destination = destination
        self.path = destination.with_name(f"{destination.name}.part")
        self._etag = destination.with_name(f"{destination.name}.part.etag")

    def n_bytes(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def etag(self) -> str | None:
        with suppress(FileNotFoundError):
            return self._etag.read_text()
        return None

    def begin(self, etag: str | None) -> None:
        """Take note of what content is about to arrive from its start."""
        self._etag.unlink(missing_ok=True)
        self.path.write_bytes(b"")
        if etag is not None:
            self._etag.write_text(etag)

    def complete(self) -> None:
        self.path.replace(self.destination)
        self._etag.unlink(missing_ok=True)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._etag.unlink(missing_ok=True)


def _attempt(
    outgoing: Outgoing, url: str, part: _Part, known_etag: str | None, progress: ByteProgress
) -> Downloaded | None:
    """Fetch what is missing over one connection."""
    start, etag = part.n_bytes(), part.etag()
    headers = {}
    if start and etag:
        headers = {"Range": f"bytes={start}-", "If-Range": etag}
    elif known_etag:
        headers = {"If-None-Match": known_etag}
    try:
        with outgoing.get(url, headers) as answer:
            if answer.status == 304 and known_etag:
                return None
            _require_content(answer, start)
            if answer.status == 200:
                part.begin(_strong_etag(answer))
            with part.path.open("ab") as file:
                _append(answer, file, outgoing.limits.max_bytes, progress)
    except SourceNotFound as error:
        if "Range" not in headers:
            raise
        part.discard()  # of other content, or complete and more: it is fetched anew
        raise SourceUnavailable(error.message, hint=error.hint) from error
    part.complete()
    return Downloaded(answer.url, _name(answer), answer.headers.get("etag"))


def _require_content(answer: Answer, start: int) -> None:
    """Raise `SourceNotFound` unless the answer brings a file, or what is missing of it."""
    found = re.match(r"bytes (\d+)-", answer.headers.get("content-range", ""))
    continues = answer.status == 206 and found is not None and int(found[1]) == start > 0
    if not continues and answer.status != 200:
        raise SourceNotFound(f"{show_url(answer.url)}: the server answered {answer.status}.")
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise SourceNotFound(f"{show_url(answer.url)} comes in a compressed transfer.")


def _append(answer: Answer, file: IO[bytes], max_bytes: int, progress: ByteProgress) -> None:
    length = answer.headers.get("content-length", "")
    total = file.tell() + int(length) if length.isdecimal() else None
    began_at, n_before = time.monotonic(), file.tell()
    for block in answer.body:
        file.write(block)
        n_bytes = file.tell()
        if max(n_bytes, total or 0) > max_bytes:
            raise too_large(answer.url, max_bytes)
        progress(n_bytes, total)
        if time.monotonic() - began_at > SLOW_S:
            if n_bytes - n_before < SLOW_BYTES:
                raise SourceUnavailable(f"{show_url(answer.url)} sends too slowly.")
            began_at, n_before = time.monotonic(), n_bytes
    file.flush()
    os.fsync(file.fileno())


def _strong_etag(answer: Answer) -> str | None:
    """Return the entity tag that names the exact bytes, if the server gives one (RFC 9110, 8.8)."""
    etag = answer.headers.get("etag", "")
    return etag if etag.startswith('"') else None


def _name(answer: Answer) -> str:
    """Return the name of the file as the server tells it, else as its address ends."""
    told = answer.headers.get("content-disposition", "")
    if found := re.search(r"filename\*=utf-8''([^;\s]+)", told, re.IGNORECASE):
        return unquote(found[1])
    if found := re.search(r'filename="?([^";]+)', told, re.IGNORECASE):
        return found[1].encode("latin-1").decode(errors="replace")
    return unquote(urlsplit(answer.url).path.rpartition("/")[2])
