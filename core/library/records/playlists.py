"""Playlists on disk: few and small, so they need no tables."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager

from core.artifacts.job_ids import is_job_id, new_job_id
from core.audio.tagging.tags import clean_text
from core.errors import InvalidOption, PlaylistChanged, PlaylistNotFound
from core.library.records.record import PlaylistRecord
from core.library.records.store import RecordStore
from core.system.clock import now
from stemcrate.schemas.sets import SetDescription

VERSION_LENGTH = 16


def version_of(record: PlaylistRecord) -> str:
    """Return the version of a playlist: a hash of its record."""
    return hashlib.sha256(record.model_dump_json().encode()).hexdigest()[:VERSION_LENGTH]


class PlaylistStore:
    """The playlists of a library, newest first. Ids sort by creation time."""

    def __init__(
        self, records: RecordStore, lock: Callable[[str], AbstractContextManager[None]]
    ) -> None:
        self._records = records
        self._lock = lock

    def create(self, name: str, track_ids: Sequence[str], plan: SetDescription) -> PlaylistRecord:
        """Create a playlist. Raises `InvalidOption` for a name without printable characters.

        The name may hold anything, including slashes; it is sanitised where it becomes a path.
        """
        record = PlaylistRecord(
            id=new_job_id(),
            name=_clean_name(name),
            created_at=now(),
            track_ids=list(track_ids),
            plan=plan,
        )
        with self._writing():
            self._records.write_playlist(record)
        return record

    def page(self, *, limit: int, cursor: str | None) -> tuple[list[PlaylistRecord], str | None]:
        """Return up to ``limit`` playlists older than ``cursor``, and the next page's cursor.

        Raises `InvalidOption` if the cursor is invalid.
        """
        if cursor is not None and not is_job_id(cursor):
            raise InvalidOption(
                f"'{cursor[:100]}' is not a cursor.",
                hint="Give next_cursor of the page before, or none for the first page.",
                field="cursor",
            )
        older = [p for p in self.all() if cursor is None or p.id < cursor]
        page = older[:limit]
        return page, page[-1].id if len(older) > limit else None

    def all(self) -> list[PlaylistRecord]:
        """Return every playlist."""
        return sorted(self._records.playlists(), key=lambda record: record.id, reverse=True)

    def get(self, playlist_id: str) -> PlaylistRecord:
        """Return a playlist. Raises `PlaylistNotFound`."""
        record = self._records.read_playlist(playlist_id) if is_job_id(playlist_id) else None
        if record is None:
            raise PlaylistNotFound(
                f"There is no playlist '{playlist_id[:100]}'.",
                hint="GET /playlists lists the playlists that exist.",
            )
        return record

    def change(
        self,
        playlist_id: str,
        change: Callable[[PlaylistRecord], None],
        *,
        versions: Collection[str] | None = None,
    ) -> PlaylistRecord:
        """Change a playlist in place.

        Parameters
        ----------
        versions : of the playlist that the change was made for (`version_of`); None: any.

        Raises
        ------
        PlaylistNotFound : there is no such playlist.
        PlaylistChanged : it has another version.
        """
        with self._writing():
            record = self.get(playlist_id)
            if versions is not None and version_of(record) not in versions:
                raise PlaylistChanged(
                    f"'{record.name}' was changed meanwhile.",
                    hint="Get it again, and change what it is now.",
                )
            change(record)
            self._records.write_playlist(record)
            return record

    def rename(
        self, playlist_id: str, name: str, *, versions: Collection[str] | None = None
    ) -> PlaylistRecord:
        """Rename a playlist. Raises as `change` does, and `InvalidOption` as `create` does."""
        shown = _clean_name(name)
        return self.change(
            playlist_id, lambda record: setattr(record, "name", shown), versions=versions
        )

    def delete(self, playlist_id: str) -> None:
        """Remove a playlist. Raises `PlaylistNotFound`."""
        with self._writing():
            self._records.remove_playlist(self.get(playlist_id).id)

    def follow(self, track_id: str, successor_id: str) -> None:
        """Replace a track by its successor in every playlist."""
        with self._writing():
            for record in self._records.playlists():
                if track_id in record.track_ids:
                    record.track_ids = [
                        successor_id if other == track_id else other for other in record.track_ids
                    ]
                    self._records.write_playlist(record)

    def _writing(self) -> AbstractContextManager[None]:
        return self._lock("playlists")


def _clean_name(name: str) -> str:
    shown = clean_text(name)
    if shown is None:
        raise InvalidOption("A playlist needs a name.", hint="Give it one.", field="name")
    return shown
