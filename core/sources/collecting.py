"""From a track of a list to a file: found on this machine, known to the library, or fetched."""

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from core.artifacts.hashing import hash_file
from core.artifacts.names import clean_name
from core.artifacts.store import JobStore
from core.artifacts.uploads import Upload
from core.errors import SourceNotFound, SourceUnavailable
from core.library.intake.listing import find_listed
from core.library.library import Library
from core.library.naming import find_by_name
from core.library.stems import find_unchanged
from core.sources.links import Links
from core.sources.media import SEARCH
from core.sources.memory import KnownLink, LinkMemory, digest_of
from core.sources.source import Fetched, Playlist
from core.system.homes import home_of
from stemcrate.schemas.ingests import ListedTrack

Check = Callable[[Path, Upload], object]
"""Raises `InvalidAudio` for a file that cannot be used; looks into it in a process of its own."""
_ABANDONED_S = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Collected:
    """What a track of a list led to.

    ``track_id`` is known of fetched files and of tracks of the library; ``path`` is None for the
    latter, which need no file.
    """

    name: str
    path: Path | None = None
    track_id: str | None = None


class Collector:
    """Finds or fetches what lists name. For one thread.

    Parameters
    ----------
    check : refuses fetched files that are no audio.
    mark : what fetched bytes are kept for: a job's id, or a library's mark.
    folder : in which paths of lists are looked for; None: paths of lists are not followed.
    """

    def __init__(
        self,
        library: Library,
        store: JobStore,
        links: Links,
        check: Check,
        *,
        mark: str,
        folder: Path | None,
    ) -> None:
        self._library = library
        self._store = store
        self._links = links
        self._check = check
        self._mark = mark
        self._folder = folder
        self._memory = LinkMemory(store.storage, library.owner)
        self._fetching = home_of(store.data_dir, library.owner) / "fetching"

    def collect(self, track: ListedTrack) -> Collected | Playlist:
        """Return what a track of a list leads to.

        Raises
        ------
        SourceNotFound : nothing; other errors of sources as of `LinkSource.fetch`.
        InvalidAudio : what was fetched is no audio; it is removed.
        """
        if track.file and self._folder and (found := find_listed(track.file, self._folder)):
            with suppress(OSError, RuntimeError):
                return Collected(found.name, found.resolve(strict=True))
        if known := find_by_name(self._library, track.artist, track.title):
            return Collected(self._library.record(known).name, track_id=known)
        if track.url:
            return self._collect_link(track, track.url)
        if track.artist and track.title and self._links.can_search():
            return self._collect_link(track, f"{SEARCH}{track.artist} {track.title}")
        raise SourceNotFound(
            f"'{track.label[:200]}' was not found.",
            hint="Add a link to the list, or the path of a file on this machine.",
        )

    def _collect_link(self, track: ListedTrack, url: str) -> Collected | Playlist:
        known = self._memory.find(url)
        if known is not None and not self._has(known.sha256):
            if self._store.has_upload(known.sha256, self._mark):  # fetched before it broke off
                path = self._store.upload_path(known.sha256).resolve()
                return Collected(self._name(track, known.name), path, known.sha256)
            known = None
        if known is not None and known.etag is None:
            return Collected(known.name, track_id=known.sha256)
        folder = self._fetching / digest_of(url)
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            try:
                found = self._links.fetch(url, folder, known.etag if known else None)
                if found is None and known is not None:
                    collected: Collected | Playlist = Collected(known.name, None, known.sha256)
                elif isinstance(found, Fetched):
                    collected = self._take(track, url, found)
                elif found is not None:
                    collected = found
                else:
                    raise SourceUnavailable(f"{url[:200]} gave nothing.", hint="Try again later.")
            except SourceUnavailable:
                raise  # the next attempt goes on with the part that has arrived
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            shutil.rmtree(folder, ignore_errors=True)
        return collected

    def _has(self, track_id: str) -> bool:
        record = self._library.find_record(track_id)
        return record is not None and find_unchanged(record, self._store) is not None

    def _take(self, track: ListedTrack, url: str, found: Fetched) -> Collected:
        """Move a fetched file into the store, if it can be used."""
        name = self._name(track, found.name)
        sha256, n_bytes = hash_file(found.path)
        self._check(found.path, Upload(sha256, n_bytes, name))
        self._store.adopt_upload(found.path, sha256, self._mark)
        self._memory.keep(KnownLink(url=url, name=found.name, sha256=sha256, etag=found.etag))
        return Collected(name, self._store.upload_path(sha256).resolve(), sha256)

    @staticmethod
    def _name(track: ListedTrack, found: str) -> str:
        """Name a file as the list names its track; else as it was found."""
        if not (track.artist and track.title):
            return found
        listed = f"{track.artist} - {track.title}{Path(found).suffix}"
        return clean_name(listed.replace("/", "_"))

    def remove_abandoned(self) -> None:
        """Remove parts of downloads that nobody resumed for a week."""
        for path in self._fetching.glob("*"):
            with suppress(OSError):
                if path.stat().st_mtime < time.time() - _ABANDONED_S:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
