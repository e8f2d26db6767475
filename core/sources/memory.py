"""What links led to before, by owner: library/links/{SHA-256 of the link}.json."""

import hashlib
from pathlib import Path

from pydantic import BaseModel, ValidationError

from core.system.atomic import write_atomically
from core.system.homes import home_of


class KnownLink(BaseModel):
    """The file that a link led to: its name, SHA-256 of its bytes, the server's tag for them."""

    url: str
    name: str
    sha256: str
    etag: str | None = None


class LinkMemory:
    """The links of an owner. Safe to use from several threads and processes."""

    def __init__(self, data_dir: Path, owner: str) -> None:
        self._folder = home_of(data_dir, owner) / "library" / "links"

    def find(self, url: str) -> KnownLink | None:
        """Return what a link led to, None if it is not known."""
        try:
            return KnownLink.model_validate_json(self._path(url).read_bytes())
        except (OSError, ValidationError):
            return None

    def keep(self, link: KnownLink) -> None:
        """Remember what a link led to. Raises `StorageFull`."""
        write_atomically(self._path(link.url), link.model_dump_json().encode())

    def _path(self, url: str) -> Path:
        return self._folder / f"{digest_of(url)}.json"


def digest_of(url: str) -> str:
    """Return what stands for a link in the name of a file."""
    return hashlib.sha256(url.encode(errors="surrogatepass")).hexdigest()[:32]
