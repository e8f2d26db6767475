"""A DJ pack as bytes, made in a process of its own while they are taken.

Tagging and encoding open files of strangers by native code, which may hang or crash; the process
can be killed at any moment, and its staging folder goes with it (decisions 11 and 12).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Self

from core.artifacts.store import STAGING, JobStore
from core.errors import StageFailed
from core.export.format import ExportOptions
from core.library.library import Library
from core.library.records.record import PlaylistRecord
from core.system.isolation import IsolatedProcess, ProcessDied, ProcessLimits
from core.system.storage import Storage


@dataclass(frozen=True, slots=True)
class PackOrder:
    """What is packed: a playlist of an owner's library in a storage."""

    storage: Storage
    database_url: str
    owner: str
    playlist: PlaylistRecord
    options: ExportOptions


class PackStream:
    """The bytes of a pack's ZIP, chunk by chunk; close it, however reading ends.

    Attributes
    ----------
    warnings : what is amiss before the first byte.

    Raises
    ------
    ArtefactNotFound : none of the playlist's tracks is left.
    StageFailed : the process died, or made nothing for as long as the limits allow.
    """

    def __init__(self, order: PackOrder, limits: ProcessLimits) -> None:
        downloads = JobStore(order.storage).downloads
        downloads.mkdir(parents=True, exist_ok=True)
        self._staging = TemporaryDirectory(
            dir=downloads, prefix=STAGING, ignore_cleanup_errors=True
        )
        self._process = IsolatedProcess(limits, _load_encoders)
        self._items = self._process.stream(_make_pack, order, Path(self._staging.name))
        self._closing = Lock()
        try:
            first = self._take()
            assert isinstance(first, tuple)
            self.warnings: tuple[str, ...] = first
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        chunk = self._take()
        assert isinstance(chunk, bytes)
        return chunk

    def close(self) -> None:
        """End the process, also while another thread waits for it; remove what it left."""
        with self._closing:
            self._process.close()
            self._staging.cleanup()

    def _take(self) -> tuple[str, ...] | bytes:
        try:
            return next(self._items)
        except ProcessDied as error:
            raise StageFailed(f"The pack could not be made: {error}.") from error


def _load_encoders() -> None:
    # There, and not above: encoders and tag writers are loaded in that process alone.
    import core.sets.packing  # noqa: F401


def _make_pack(order: PackOrder, staging: Path) -> Iterator[tuple[str, ...] | bytes]:
    """Yield the warnings, then the bytes; runs in the pack's own process."""
    from core.export.pack import stream_pack
    from core.sets.packing import make_playlist_pack

    library = Library(order.storage, order.database_url, order.owner)
    store = JobStore(order.storage, order.owner)
    pack = make_playlist_pack(library, store, order.playlist, order.options)
    yield tuple(pack.warnings)
    yield from stream_pack(pack.entries(staging))
