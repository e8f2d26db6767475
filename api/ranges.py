"""Ranges of bodies that are made while they are sent (RFC 9110, section 14)."""

import re
from collections.abc import Iterable, Iterator

from fastapi import status
from starlette.exceptions import HTTPException

_SINGLE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII | re.IGNORECASE)


def requested_range(
    header: str | None, if_range: str | None, *, etag: str, n_bytes: int
) -> range | None:
    """Return the part of ``n_bytes`` bytes that is requested; None for the whole.

    The whole is also sent for several ranges, for what is no range of bytes, and if ``if_range``
    is not ``etag``, which has to be strong.

    Raises
    ------
    HTTPException : 416; the range is outside of the body.
    """
    found = _SINGLE_RANGE.fullmatch((header or "").replace(" ", ""))
    if found is None or if_range not in (None, etag):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        part = range(max(0, n_bytes - int(last)), n_bytes)
    elif last and int(last) < int(first):
        return None
    else:
        part = range(int(first), min(int(last) + 1, n_bytes) if last else n_bytes)
    if not part:
        raise HTTPException(
            status.HTTP_416_RANGE_NOT_SATISFIABLE,
            "The range cannot be satisfied",
            {"Content-Range": f"bytes */{n_bytes}"},
        )
    return part


def cut(chunks: Iterable[bytes], part: range) -> Iterator[bytes]:
    """Yield the bytes of a part; what is before it is read and discarded."""
    end = 0
    for chunk in chunks:
        start, end = end, end + len(chunk)
        if end > part.start:
            yield chunk[max(0, part.start - start) : part.stop - start]
        if end >= part.stop:
            return
