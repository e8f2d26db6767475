"""What links led to before, by owner: library/links/{SHA-256 of the link}.json."""

import hashlib

from pydantic import BaseModel, ValidationError

from core.artifacts.documents import documents_of
from core.system.homes import home_name
from core.system.storage import Storage


class KnownLink(BaseModel):
    """The file that a link led to: its name, SHA-256 of its bytes, the server's tag for them."""

    url: str
    name: str
    sha256: str
    etag: str | None = None


class LinkMemory:
    """The links of an owner. Safe to use from several threads and processes."""

    def __init__(self, storage: Storage, owner: str) -> None:
        self._documents = documents_of(storage)
        self._folder = f"{home_name(owner)}library/links"

    def find(self, url: str) -> KnownLink | None:
        """Return what a link led to, None if it is not known."""
        try:
            return KnownLink.model_validate_json(self._documents.read(self._name(url)) or b"")
        except ValidationError:
            return None

    def keep(self, link: KnownLink) -> None:
        """Remember what a link led to. Raises `StorageFull`."""
        self._documents.write(self._name(link.url), link.model_dump_json().encode())

    def _name(self, url: str) -> str:
        return f"{self._folder}/{digest_of(url)}.json"


def digest_of(url: str) -> str:
    """Return what stands for a link in the name of a file."""
    return hashlib.sha256(url.encode(errors="surrogatepass")).hexdigest()[:32]
