"""From states and beats of a player to decks in our own words."""

import math
from collections.abc import Mapping, Sequence

from core.analysis.harmony.camelot import camelot_to_key
from core.decks.states import N_DECKS, Beat, Value, deck_state, fader_state
from stemcrate.schemas.decks import Deck

BEATS_IN_BAR = 4


def describe_decks(states: Mapping[str, Value], beats: Sequence[Beat]) -> list[Deck]:
    """Return the decks of which anything is known."""
    return [
        _describe(number, states, beats[number - 1] if number <= len(beats) else None)
        for number in range(1, N_DECKS + 1)
        if number <= len(beats) or any(name.startswith(deck_state(number, "")) for name in states)
    ]


def camelot_of(key_index: float | None) -> str | None:
    """Return the Camelot code of a key as players number it: C, A minor, G, E minor, …

    >>> camelot_of(0), camelot_of(1), camelot_of(2), camelot_of(23), camelot_of(24)
    ('8B', '8A', '9B', '7A', None)
    """
    if key_index is None or not 0 <= key_index < 24:
        return None
    fifths, is_minor = divmod(int(key_index), 2)
    return f"{(7 + fifths) % 12 + 1}{'A' if is_minor else 'B'}"


def _describe(number: int, states: Mapping[str, Value], beat: Beat | None) -> Deck:
    def known(name: str) -> Value | None:
        return states.get(deck_state(number, name))

    def amount(name: str) -> float | None:
        return _number(known(name))

    title, artist, path = (
        _text(known(f"Track/{name}")) for name in ("SongName", "ArtistName", "TrackNetworkPath")
    )
    loaded = known("Track/SongLoaded")
    is_loaded = bool(title or path) if loaded is None else loaded is True
    playing = known("PlayState")
    fader = amount("ExternalMixerVolume")
    fader = _number(states.get(fader_state(number))) if fader is None else fader
    deck = Deck(
        number=number,
        is_loaded=is_loaded,
        is_playing=is_loaded and (known("Play") if playing is None else playing) is True,
        is_master=known("DeckIsMaster") is True,
        speed=amount("Speed"),
        fader=None if fader is None else min(max(fader, 0.0), 1.0),
    )
    if not is_loaded:
        return deck
    camelot = camelot_of(amount("Track/CurrentKeyIndex"))
    tempo_bpm = amount("CurrentBPM") or (beat.tempo_bpm if beat else None) or None
    changes = {
        "title": title,
        "artist": artist,
        "path": path,
        "tempo_bpm": tempo_bpm,
        "track_tempo_bpm": amount("Track/CurrentBPM") or None,
        "camelot": camelot,
        "key": camelot and camelot_to_key(camelot),
        **(_position(beat, amount("Track/SampleRate")) if beat else {}),
    }
    return deck.model_copy(update=changes)


def _position(beat: Beat, sample_rate: float | None) -> dict[str, float | int | None]:
    bars, in_bar = divmod(beat.beat, BEATS_IN_BAR)
    return {
        "beat": beat.beat,
        "total_beats": beat.total_beats,
        "bar": math.floor(bars) + 1,
        "beat_in_bar": min(math.floor(in_bar), BEATS_IN_BAR - 1) + 1,
        "position_s": beat.samples / sample_rate if sample_rate else None,
    }


def _number(value: Value | None) -> float | None:
    return value if isinstance(value, float) else None


def _text(value: Value | None) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
