"""Downloads: streamed to disk, resumed, and checked before they get their name."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from os import PathLike
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import requests  # noqa: TID251

from stemcrate.client.connection import Connection, Query, unexpected
from stemcrate.client.errors import CorruptDownload

BLOCK_BYTES = 1 << 16  # at most one block is lost when a connection is cut
DownloadProgress = Callable[[int, int | None], None]
"""Called with the bytes that are here and those of the whole file; None: not announced."""
Target = str | PathLike[str]
"""A file to write, or a folder that exists: then the API names the file."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A downloaded file and its response headers."""

    path: Path
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Part:
    """The partial file, and beside it the entity tag of the whole."""

    path: Path

    @classmethod
    def of(cls, target: Path) -> "_Part":
        return cls(target.with_name(f"{target.name}.part"))

    @property
    def _tag_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.etag")

    def start(self) -> dict[str, str]:
        """Return the headers that request the rest; empty if there is no part."""
        try:
            n_bytes, tag = self.path.stat().st_size, self._tag_path.read_text()
        except FileNotFoundError:
            return {}
        return {"Range": f"bytes={n_bytes}-", "If-Range": tag} if n_bytes and tag else {}

    def begin(self, tag: str | None) -> None:
        self.discard()
        if tag:
            self._tag_path.write_text(tag)

    def finish(self, target: Path) -> None:
        self.path.replace(target)
        self._tag_path.unlink(missing_ok=True)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._tag_path.unlink(missing_ok=True)


def fetch(
    api: Connection,
    path: str,
    to: Target,
    *,
    resume: bool = False,
    progress: DownloadProgress | None = None,
    sha256: str | None = None,
    query: Query | None = None,
) -> Fetched:
    """Download ``path`` to a file; `stemcrate.client.downloads` lists the errors."""
    target = Path(to)
    default_name = unquote(path.rpartition("/")[2])
    part = _Part.of(target / default_name if target.is_dir() else target)
    rest = part.start() if resume else {}
    # With compression, the length would differ.
    headers = {"Accept-Encoding": "identity", **rest}
    not_satisfiable = requests.codes.requested_range_not_satisfiable
    with api.stream(
        "GET", path, query=query, headers=headers, accepted=(not_satisfiable,)
    ) as answer:
        if (
            rest and answer.status_code == not_satisfiable
        ):  # the part is complete, or the file has changed
            part.discard()
            return fetch(api, path, to, progress=progress, sha256=sha256, query=query)
        n_bytes = _receive(answer, part, rest, progress)
    sha256 = sha256 or _announced_sha256(answer)
    _check(part, n_bytes, sha256)
    if target.is_dir():
        target /= _announced_name(answer) or default_name
    part.finish(target)
    return Fetched(target, answer.headers)


def _receive(
    answer: requests.Response,
    part: _Part,
    rest: Mapping[str, str],
    progress: DownloadProgress | None,
) -> int | None:
    """Write the body; return the announced length of the whole file, None if unknown."""
    n_here = 0
    if answer.status_code == requests.codes.partial_content:
        n_here = part.path.stat().st_size
        if not answer.headers.get("Content-Range", "").startswith(f"bytes {n_here}-"):
            raise unexpected(answer)
    else:
        part.begin(answer.headers.get("ETag"))
    length = answer.headers.get("Content-Length")
    n_bytes = None if length is None else n_here + int(length)
    with part.path.open("ab") as file:
        for block in answer.iter_content(BLOCK_BYTES):
            file.write(block)
            n_here += len(block)
            if progress:
                progress(n_here, n_bytes)
    return n_bytes


def _check(part: _Part, n_bytes: int | None, sha256: str | None) -> None:
    with part.path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest() if sha256 else None
        n_found = file.seek(0, 2)
    if found != sha256 or n_bytes not in (None, n_found):
        part.discard()
        raise CorruptDownload(
            f"{part.path.stem} arrived damaged.", "Download it again; nothing of it was kept."
        )


def _announced_sha256(answer: requests.Response) -> str | None:
    """Parse ``Repr-Digest: sha-256=:<base64>:`` (RFC 9530)."""
    name, _, value = answer.headers.get("Repr-Digest", "").partition("=")
    if name != "sha-256":
        return None
    try:
        return base64.b64decode(value.strip(":"), validate=True).hex()
    except binascii.Error as error:
        raise unexpected(answer) from error


def _announced_name(answer: requests.Response) -> str:
    """Parse the name in ``Content-Disposition`` as a single path component."""
    header = answer.headers.get("Content-Disposition", "")
    message = Message()
    message["Content-Disposition"] = header
    # RFC 6266, 4.3: the name in UTF-8 goes before the one in ASCII.
    extended = re.search(r"filename\*=UTF-8''([^;\s]+)", header, re.IGNORECASE)
    name = unquote(extended[1]) if extended else message.get_filename() or ""
    name = name.replace("\\", "/").replace("\0", "")
    return PurePosixPath(name).name
