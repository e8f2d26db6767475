"""The sources of links, in the order in which they are asked; packages add theirs before them."""

from collections.abc import Callable
from pathlib import Path

from core.errors import InvalidLink, SourceNotFound
from core.sources.buckets import BucketSource
from core.sources.direct import DirectSource
from core.sources.media import SEARCH, MediaSource
from core.sources.source import Fetched, LinkSource, Playlist, SourceSettings
from core.system.disk import require_free
from core.system.registry import Registry

SOURCES: Registry[type[LinkSource]] = Registry(
    "stemcrate.sources",
    lambda name, item: (
        isinstance(item, type) and issubclass(item, LinkSource) and item.name == name
    ),
    ((source.name, source) for source in (BucketSource, MediaSource, DirectSource)),
)


class Links:
    """Fetches what links lead to, each by the first source that takes it. For one thread.

    ``told`` is called often while something is fetched; what it raises ends that.
    """

    def __init__(self, settings: SourceSettings, told: Callable[[], None] = lambda: None) -> None:
        self._settings = settings
        self._told = told
        found, plugins = SOURCES.available(), SOURCES.plugins()
        names = sorted(found, key=lambda name: name not in plugins)
        self._sources = [found[name](settings) for name in names]

    def fetch(self, url: str, folder: Path, known_etag: str | None) -> Fetched | Playlist | None:
        """Fetch what a link leads to; see `LinkSource.fetch`."""
        if not self._settings.is_on:
            raise SourceNotFound(
                "No links are fetched by this installation.",
                hint="Its operator can switch them on: INGEST_LINKS.",
            )
        for source in self._sources:
            if source.takes(url):
                require_free(folder, self._settings.min_free_bytes)
                return source.fetch(url, folder, known_etag, self._told)
        raise InvalidLink(f"No source takes {url[:200]}.")

    def can_search(self) -> bool:
        """Return whether recordings can be searched for by artist and title."""
        return self._settings.is_on and any(
            source.takes(SEARCH) for source in self._sources if isinstance(source, MediaSource)
        )

    def close(self) -> None:
        """End what the sources have started."""
        for source in self._sources:
            source.close()
