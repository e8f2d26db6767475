"""Places outside of the installation that files are put to: folders, object stores, WebDAV."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import obstore  # noqa: TID251
from obstore.exceptions import BaseError, NotFoundError  # noqa: TID251
from obstore.store import from_url  # noqa: TID251

from core.errors import InvalidOption, TransferFailed

SCHEMES = ("file", "s3", "gs", "az", "http", "https")
_CHUNK_BYTES = 4 << 20


def find_target(url: str, allowed: Sequence[str]) -> str:
    """Return the address of a target without a slash at its end.

    Raises `InvalidOption` unless it is one of those allowed, or below one.
    """
    target = url.rstrip("/")
    places = [place.rstrip("/") for place in allowed]
    is_below = any(target == place or target.startswith(f"{place}/") for place in places)
    if not is_below or ".." in target.split("/") or "\\" in target:
        raise InvalidOption(
            f"'{url[:200]}' is no target that files may be transferred to.",
            hint=f"Choose one of {', '.join(places)}, or a place below one."
            if places
            else "The operator can name targets in TRANSFER_TARGETS.",
            field="target",
        )
    return target


def check_scheme(url: str) -> str:
    """Return the address of any target. Raises `InvalidOption` if nothing can be put there."""
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in SCHEMES:
        raise InvalidOption(
            f"'{url[:200]}' is no target: it begins with none of "
            f"{', '.join(f'{name}://' for name in SCHEMES)}.",
            field="target",
        )
    return url.rstrip("/")


class Target:
    """One place. Its credentials are those of the environment.

    Every method raises `TransferFailed` if it does not answer, even when asked again.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        with self._errors():
            if url.startswith("file:"):
                self._store = from_url(url, mkdir=True)
            else:
                # An endpoint without TLS is the choice of the operator, who names it.
                self._store = from_url(url, client_options={"allow_http": True})

    def put(self, name: str, path: Path, sha256: str, told: Callable[[], None]) -> None:
        """Put a file under a name, unless it is there; what is there then has this SHA-256.

        A file that is there already and differs stays as it is, which is a failure.
        """
        with self._errors():
            found = self._read_hash(name, told)
            if found is None:
                obstore.put(self._store, name, path)
                found = self._read_hash(name, told)
                if found != sha256:
                    raise TransferFailed(
                        f"{self.url_of(name)} is not what was sent: its SHA-256 differs.",
                        hint="Remove it and try again. If this goes on, the target damages files.",
                    )
            elif found != sha256:
                raise TransferFailed(
                    f"There is another file at {self.url_of(name)}.",
                    hint="Remove it, or choose another target or template.",
                )

    def put_bytes(self, name: str, data: bytes) -> None:
        """Put bytes under a name, in place of what is there."""
        with self._errors():
            obstore.put(self._store, name, data)

    def url_of(self, name: str) -> str:
        """Return the address of a file."""
        is_url = self._url.startswith(("http", "file"))  # names of objects are not encoded
        return f"{self._url}/{quote(name) if is_url else name}"

    def _read_hash(self, name: str, told: Callable[[], None]) -> str | None:
        """Return the SHA-256 of what is under a name; None if there is nothing."""
        digest = hashlib.sha256()
        try:
            for chunk in obstore.get(self._store, name).stream(_CHUNK_BYTES):
                digest.update(chunk)
                told()
        except (NotFoundError, FileNotFoundError):
            return None
        return digest.hexdigest()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise TransferFailed(
                f"{self._url} takes no files: {str(error)[:300]}",
                hint="Correct the target or its credentials, and try again: what is there already "
                "is not sent again.",
            ) from error
