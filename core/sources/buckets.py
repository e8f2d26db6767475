"""Objects and prefixes of the operator's buckets: ``s3://``, ``gs://`` and ``az://``.

They are read with the credentials of the installation, so the operator names what may be read.
"""

from collections.abc import Callable
from itertools import islice
from pathlib import Path, PurePosixPath

import obstore  # noqa: TID251
from obstore.exceptions import BaseError, NotFoundError  # noqa: TID251
from obstore.store import ObjectStore, from_url  # noqa: TID251

from core.artifacts.names import clean_name
from core.errors import InvalidLink, SourceNotFound, SourceUnavailable
from core.library.intake.listing import AUDIO_SUFFIXES
from core.net.outgoing import show_url, too_large
from core.sources.lists.format import BUCKETS
from core.sources.lists.reading import MAX_TRACKS
from core.sources.source import Fetched, LinkSource, Playlist
from core.system.disk import storage_errors
from stemcrate.schemas.ingests import ListedTrack

_CHUNK_BYTES = 1 << 20


class BucketSource(LinkSource):
    """Takes objects, and prefixes as lists of the audio files below them."""

    name = "bucket"

    def takes(self, url: str) -> bool:
        """Return whether this is a link into a bucket. Raises `InvalidLink` if none may be read."""
        if not url.startswith(BUCKETS):
            return False
        places = (place.rstrip("/") for place in self.settings.buckets)
        if not any(url == place or url.startswith(f"{place}/") for place in places):
            raise InvalidLink(
                f"{show_url(url)} is in no bucket that may be read.",
                hint="The operator can name buckets, or parts of them, in INGEST_BUCKETS.",
            )
        return True

    def fetch(
        self, url: str, folder: Path, known_etag: str | None, told: Callable[[], None]
    ) -> Fetched | Playlist | None:
        """Fetch an object, or list the audio files below a prefix."""
        scheme, _, rest = url.partition("://")
        bucket, _, key = rest.partition("/")
        root = f"{scheme}://{bucket}"
        try:
            # An endpoint without TLS is the choice of whoever names it.
            store = from_url(root, client_options={"allow_http": True})
            try:
                if key and not key.endswith("/"):
                    return self._download(store, url, key, folder, known_etag, told)
            except (NotFoundError, FileNotFoundError):
                pass  # no object: a prefix
            return _list(store, root, key.rstrip("/"))
        except (NotFoundError, FileNotFoundError) as error:
            raise SourceNotFound(f"There is no {show_url(url)}.") from error
        except (BaseError, ValueError) as error:
            raise SourceUnavailable(
                f"{show_url(url)} cannot be read: {str(error)[:200]}.", hint="Try again later."
            ) from error

    def _download(
        self,
        store: ObjectStore,
        url: str,
        key: str,
        folder: Path,
        known_etag: str | None,
        told: Callable[[], None],
    ) -> Fetched | None:
        meta = obstore.head(store, key)
        etag = meta["e_tag"]
        if known_etag is not None and etag == known_etag:
            return None
        if meta["size"] > self.settings.max_bytes:
            raise too_large(url, self.settings.max_bytes)
        path = folder / "audio"
        with storage_errors(path), path.open("wb") as file:
            for chunk in obstore.get(store, key).stream(_CHUNK_BYTES):
                file.write(chunk)
                told()
        return Fetched(path, clean_name(PurePosixPath(key).name), etag)


def _list(store: ObjectStore, root: str, prefix: str) -> Playlist:
    found = (meta["path"] for batch in obstore.list(store, prefix or None) for meta in batch)
    audio = (key for key in found if PurePosixPath(key).suffix.lower() in AUDIO_SUFFIXES)
    tracks = tuple(ListedTrack(url=f"{root}/{key}") for key in sorted(islice(audio, MAX_TRACKS)))
    if not tracks:
        raise SourceNotFound(f"There is no audio file at {root}/{prefix}.")
    return Playlist(tracks)
