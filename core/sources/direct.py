"""Links to audio files on any public web server."""

from collections.abc import Callable
from pathlib import Path

from core.artifacts.names import clean_name
from core.net.download import download
from core.net.outgoing import Outgoing, OutgoingLimits, parse_url
from core.sources.source import Fetched, LinkSource, SourceSettings


class DirectSource(LinkSource):
    """Takes every link of http and https, as a link to an audio file."""

    name = "direct"

    def __init__(self, settings: SourceSettings) -> None:
        super().__init__(settings)
        limits = OutgoingLimits(settings.max_bytes, total_s=settings.timeout_s)
        self._outgoing = Outgoing(settings.guard, limits)

    def takes(self, url: str) -> bool:
        """Return whether this is a link. Raises `InvalidLink` for any other text."""
        parse_url(url)
        return True

    def fetch(
        self, url: str, folder: Path, known_etag: str | None, told: Callable[[], None]
    ) -> Fetched | None:
        """Download the file."""
        path = folder / "audio"
        found = download(
            self._outgoing, url, path, known_etag=known_etag, progress=lambda *_: told()
        )
        return None if found is None else Fetched(path, clean_name(found.name), found.etag)
