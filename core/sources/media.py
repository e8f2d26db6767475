"""Pages of allowed hosts (SoundCloud, YouTube, Bandcamp …), by yt-dlp, where it is installed.

yt-dlp opens many connections by itself, so it runs in a process of its own (`media_process`) in
which the same guard decides about every connection.
"""

import time
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from core.errors import SourceNotFound, SourceUnavailable
from core.library.intake.listing import AUDIO_SUFFIXES
from core.net.outgoing import show_url
from core.sources.media_process import MediaRequest, fetch_media
from core.sources.source import Fetched, LinkSource, Playlist, SourceSettings
from core.system.isolation import IsolatedProcess, ProcessDied, ProcessLimits

SEARCH = "ytsearch1:"
_SILENCE_S = 60.0
_SEARCHED_HOST = "youtube.com"


class MediaSource(LinkSource):
    """Takes pages of allowed hosts, but for links to audio files on them."""

    name = "media"

    def __init__(self, settings: SourceSettings) -> None:
        super().__init__(settings)
        limits = ProcessLimits(_SILENCE_S, settings.memory_bytes)
        self._process = IsolatedProcess(limits)

    def takes(self, url: str) -> bool:
        """Return whether this is a page, or a search, of an allowed host."""
        if url.startswith(SEARCH):
            return self._allows(_SEARCHED_HOST)
        parts = urlsplit(url)
        is_page = PurePath(parts.path).suffix.lower() not in AUDIO_SUFFIXES
        return is_page and self._allows((parts.hostname or "").lower())

    def fetch(
        self, url: str, folder: Path, known_etag: str | None, told: Callable[[], None]
    ) -> Fetched | Playlist:
        """Fetch the best audio as it is, or list a playlist."""
        if find_spec("yt_dlp") is None:
            raise SourceNotFound(
                f"{show_url(url)} needs the package yt-dlp.",
                hint='Install it where the workers run: pip install "stemcrate[ingest]".',
            )
        of = self.settings
        request = MediaRequest(url, folder, of.guard, of.max_bytes, of.max_playlist)
        try:
            return self._follow(request, told)
        except ProcessDied as error:
            raise SourceUnavailable(
                f"{show_url(url)} could not be fetched: {error}.", hint="Try again later."
            ) from error

    def _follow(self, request: MediaRequest, told: Callable[[], None]) -> Fetched | Playlist:
        ends_at = time.monotonic() + self.settings.timeout_s
        result: Fetched | Playlist | None = None
        # To its end: a stream that is left before kills the process.
        with closing(self._process.stream(fetch_media, request)) as news:
            for found in news:
                told()
                if found is None and time.monotonic() > ends_at:
                    raise SourceUnavailable(
                        f"{show_url(request.url)} took longer than {self.settings.timeout_s:g} s."
                    )
                result = found
        assert result is not None
        return result

    def close(self) -> None:
        """Kill the process."""
        self._process.close()

    def _allows(self, host: str) -> bool:
        return any(host == known or host.endswith(f".{known}") for known in self.settings.hosts)
