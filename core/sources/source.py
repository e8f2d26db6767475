"""What a source of links is: one module each, asked in the order of `core.sources.links`."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from core.net.addresses import AddressGuard
from stemcrate.schemas.ingests import ListedTrack

DEFAULT_HOSTS = (
    "soundcloud.com",
    "youtube.com",
    "youtu.be",
    "bandcamp.com",
    "mixcloud.com",
    "archive.org",
)
"""Hosts whose pages are searched for recordings, with all hosts below them."""


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Settings of sources, described in `config.Settings`."""

    guard: AddressGuard
    is_on: bool = True
    hosts: tuple[str, ...] = DEFAULT_HOSTS
    buckets: tuple[str, ...] = ()
    max_bytes: int = 500_000_000
    timeout_s: float = 3600.0
    max_playlist: int = 200
    min_free_bytes: int = 0
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that a link led to: where it is now, its name for people, and its entity tag."""

    path: Path
    name: str
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Playlist:
    """The tracks that a link led to, instead of a file."""

    tracks: tuple[ListedTrack, ...]


class LinkSource(ABC):
    """Fetches what links of one kind lead to. Not for two threads at once, but for `close`."""

    name: ClassVar[str]

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings

    @abstractmethod
    def takes(self, url: str) -> bool:
        """Return whether this source fetches a link."""

    @abstractmethod
    def fetch(
        self, url: str, folder: Path, known_etag: str | None, told: Callable[[], None]
    ) -> Fetched | Playlist | None:
        """Fetch what a link leads to, into a folder of its own.

        Parameters
        ----------
        known_etag : of the content that is known; None is returned where it still holds.
        told : to be called about twice a second; what it raises ends the fetching.

        Raises
        ------
        InvalidLink, AddressForbidden, SourceNotFound, SourceUnavailable, UploadTooLarge
        StorageFull : no space on the disk.
        """

    def close(self) -> None:  # noqa: B027  most have nothing to end
        """End what the source has started; may be called while another thread fetches."""
