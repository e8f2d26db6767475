"""What the decks of players play, with the tracks of a library that they are."""

import time
from pathlib import PurePosixPath

from core.decks.watcher import DeckWatcher
from core.library.library import Library
from core.library.naming import find_by_name
from stemcrate.schemas.decks import Deck, DecksReport, PlayedTrack

_REMEMBERED_S = 15.0
_MAX_REMEMBERED = 2000


class DeckViews:
    """Reports of the watcher. Remembers for a while which tracks of a library were meant.

    Parameters
    ----------
    watcher : None where the installation does not listen for players.
    """

    def __init__(self, watcher: DeckWatcher | None) -> None:
        self._watcher = watcher
        self._found: dict[tuple[str, str, str, str], tuple[float, str | None]] = {}

    @property
    def is_on(self) -> bool:
        """Whether the installation listens for players."""
        return self._watcher is not None

    def report(self, library: Library) -> DecksReport:
        """Return all players as of now, over the tracks of a library."""
        if self._watcher is None:
            return DecksReport(is_on=False)
        report = self._watcher.report().model_copy(deep=True)
        for device in report.devices:
            for deck in device.decks:
                deck.track_id = self._find(library, deck)
        for track in report.played:
            track.track_id = self._find(library, track)
        return report

    def close(self) -> None:
        """End the watcher."""
        if self._watcher is not None:
            self._watcher.close()

    def _find(self, library: Library, track: Deck | PlayedTrack) -> str | None:
        file_name = PurePosixPath(track.path or "").name
        key = (library.owner, track.artist or "", track.title or "", file_name)
        now_s = time.monotonic()
        known = self._found.get(key)
        if known is not None and now_s - known[0] < _REMEMBERED_S:
            return known[1]
        found = find_by_name(library, track.artist, track.title, file_name)
        if len(self._found) >= _MAX_REMEMBERED:
            self._found = {}
        self._found[key] = (now_s, found)
        return found
