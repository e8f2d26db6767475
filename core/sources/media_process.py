"""What yt-dlp does for `core.sources.media`, in a process of its own."""

import errno
import logging
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.artifacts.names import clean_name
from core.errors import AddressForbidden, SourceNotFound, SourceUnavailable
from core.net.addresses import AddressGuard
from core.net.outgoing import show_url, too_large
from core.sources.source import Fetched, Playlist
from core.system.processes import limit_file_size
from stemcrate.schemas.ingests import ListedTrack

_SOCKET_TIMEOUT_S = 30
_TELL_S = 0.5
_LOG = logging.getLogger("yt_dlp")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False  # what matters is told by the error
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_guards: list[AddressGuard] = []
_refused: list[AddressForbidden] = []
_CONNECTING = ("socket.connect", "socket.sendto", "socket.sendmsg")


@dataclass(frozen=True, slots=True)
class MediaRequest:
    """What to fetch, where to, and within which limits."""

    url: str
    folder: Path
    guard: AddressGuard
    max_bytes: int
    max_playlist: int


def fetch_media(request: MediaRequest) -> Iterator[Fetched | Playlist | None]:
    """Fetch the best audio of a page without re-encoding it, or list a playlist.

    Yields None while that lasts, twice a second, and at last what was fetched.

    Raises `SourceNotFound`, `SourceUnavailable`, `UploadTooLarge`, `AddressForbidden`.
    """
    with ThreadPoolExecutor(1) as threads:
        fetching = threads.submit(_fetch, request)
        while not fetching.done():
            yield None
            wait([fetching], _TELL_S)
        yield fetching.result()


def _fetch(request: MediaRequest) -> Fetched | Playlist:
    from yt_dlp import YoutubeDL  # noqa: TID251
    from yt_dlp.networking.exceptions import TransportError  # noqa: TID251
    from yt_dlp.utils import YoutubeDLError  # noqa: TID251

    _confine(request.guard, request.max_bytes)
    _refused.clear()
    try:
        with YoutubeDL(_options(request)) as ydl:
            found = ydl.extract_info(request.url, download=False)
            if found.get("_type") == "playlist":
                return _list_playlist(found, request)
            found = ydl.process_ie_result(found, download=True)
    except YoutubeDLError as error:
        raise _translate(error, request, TransportError) from error
    files = [path for path in request.folder.iterdir() if path.is_file()]
    if len(files) != 1:
        raise SourceNotFound(f"{show_url(request.url)} holds no recording that can be fetched.")
    artist = found.get("artist") or found.get("creator") or found.get("uploader")
    named = " - ".join(str(part) for part in (artist, found.get("title")) if part)
    name = f"{named or 'untitled'}{files[0].suffix}".replace("/", "_")
    return Fetched(files[0], clean_name(name))


def _options(request: MediaRequest) -> dict[str, Any]:
    return {
        "format": "bestaudio/best",
        "outtmpl": {"default": str(request.folder).replace("%", "%%") + "/audio.%(ext)s"},
        "extract_flat": "in_playlist",
        "playlist_items": f"1:{request.max_playlist}",
        "noplaylist": False,
        "match_filter": _refuse_live,
        "max_filesize": request.max_bytes,
        "fixup": "never",
        "external_downloader": {"default": "native"},
        # FFmpeg would open connections of its own, which nobody checks.
        "ffmpeg_location": str(request.folder / "none"),
        "socket_timeout": _SOCKET_TIMEOUT_S,
        "retries": 3,
        "cachedir": False,
        "quiet": True,
        "noprogress": True,
        "proxy": "",
        "logger": _LOG,
    }


def _refuse_live(found: dict[str, Any], *, incomplete: bool) -> str | None:
    return "this is a live stream" if found.get("is_live") else None


def _list_playlist(found: dict[str, Any], request: MediaRequest) -> Playlist:
    entries = [entry for entry in found.get("entries") or () if entry]
    tracks = []
    for entry in entries[: request.max_playlist]:
        url = entry.get("url") or entry.get("webpage_url")
        if url and url != request.url:
            artist = entry.get("artist") or entry.get("uploader")
            tracks.append(ListedTrack(url=url, artist=artist, title=entry.get("title")))
    if not tracks:
        raise SourceNotFound(f"{show_url(request.url)} lists nothing that can be fetched.")
    return Playlist(tuple(tracks))


def _translate(error: Exception, request: MediaRequest, passing: type[Exception]) -> Exception:
    if _refused:
        return _refused[0]
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno == errno.EFBIG:
            return too_large(request.url, request.max_bytes)
        if isinstance(cause, passing):
            return SourceUnavailable(_say(error, request), hint="Try again later.")
        cause = cause.__cause__ or cause.__context__
    return SourceNotFound(_say(error, request), hint="Check the link.")


def _say(error: Exception, request: MediaRequest) -> str:
    said = _COLOURS.sub("", str(error)).removeprefix("ERROR: ")
    for begins in (";", " (caused by"):  # what follows is for the developers of yt-dlp
        said = said.partition(begins)[0]
    search, _, words = request.url.partition(":")
    asked = f"the search for '{words}'" if search.startswith("ytsearch") else show_url(request.url)
    return f"{asked}: {said[:300]}"


def _confine(guard: AddressGuard, max_bytes: int) -> None:
    """Let this process connect to permitted addresses alone, and write no larger file."""
    if _guards:
        return
    _guards.append(guard)
    sys.addaudithook(_check_connection)
    limit_file_size(max_bytes)


def _check_connection(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _CONNECTING:
        return
    address = arguments[1]
    host = str(address[0]) if isinstance(address, tuple) else str(address)
    try:
        _guards[0].require(host, host)
    except ValueError:  # a name, or a path
        raise AddressForbidden(f"{host[:200]} is no address that may be called.") from None
    except AddressForbidden as error:
        _refused.append(error)  # yt-dlp takes it for a defect of its own, and goes on
        raise
