"""Which tracks were played: those that were heard for a while."""

from dataclasses import dataclass
from datetime import datetime

from stemcrate.schemas.decks import Deck, DeckDevice, PlayedTrack

HEARD_AFTER_S = 30.0
"""How long a track plays with its fader up until it counts: shorter is a try, or a scratch."""
MAX_PLAYED = 500
_LONGEST_STEP_S = 5.0
_MAX_PLACES = 256


@dataclass(slots=True)
class _Hearing:
    track: tuple[str | None, str | None, str | None]
    heard_s: float = 0.0
    started: datetime | None = None
    is_kept: bool = False


class PlayedTracks:
    """Tracks that were heard, oldest first; at most `MAX_PLAYED`, of which the oldest go."""

    def __init__(self, heard_after_s: float = HEARD_AFTER_S) -> None:
        self._heard_after_s = heard_after_s
        self._hearings: dict[tuple[str, int], _Hearing] = {}
        self._last_s: float | None = None
        self.tracks: list[PlayedTrack] = []

    def observe(self, devices: list[DeckDevice], now_s: float, at: datetime) -> None:
        """Look at all decks.

        ``now_s`` is of a clock that never goes back. What happened while nobody looked for
        `_LONGEST_STEP_S` or more does not count.
        """
        step_s = 0.0 if self._last_s is None else now_s - self._last_s
        self._last_s = now_s
        step_s = step_s if step_s < _LONGEST_STEP_S else 0.0
        for device in devices:
            for deck in device.decks:
                self._hear(device.id, deck, step_s, at)
        self.tracks = self.tracks[-MAX_PLAYED:]

    def _hear(self, device_id: str, deck: Deck, step_s: float, at: datetime) -> None:
        track = (deck.title, deck.artist, deck.path)
        place = (device_id, deck.number)
        hearing = self._hearings.get(place)
        if hearing is None or hearing.track != track:
            hearing = self._hearings[place] = _Hearing(track)
            if len(self._hearings) > _MAX_PLACES:
                del self._hearings[next(iter(self._hearings))]
        if not (any(track) and deck.is_playing and deck.fader != 0.0):
            return
        hearing.started = hearing.started or at
        hearing.heard_s += step_s
        if hearing.heard_s >= self._heard_after_s and not hearing.is_kept:
            hearing.is_kept = True
            self.tracks.append(
                PlayedTrack(
                    at=hearing.started,
                    device_id=device_id,
                    deck=deck.number,
                    title=deck.title,
                    artist=deck.artist,
                    path=deck.path,
                )
            )
