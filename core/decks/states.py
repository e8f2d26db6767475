"""The services StateMap (what a deck has loaded, plays, and how) and BeatInfo (where it is)."""

import json
import math
from dataclasses import dataclass

from core.decks.wire import BadMessage, Reader, frame, text, u32

N_DECKS = 4
Value = str | float | bool
"""What a state is set to."""
_STATES = b"smaa"
_EMIT = 0
_SUBSCRIBE = 0x7D2
_BEATS_START = 0
_BEATS = 2
_MAX_TEXT = 1000
_VALUE_NAMES = ("string", "state", "value")

DECK_STATES = (
    "CurrentBPM",
    "DeckIsMaster",
    "ExternalMixerVolume",
    "Play",
    "PlayState",
    "Speed",
    "Track/ArtistName",
    "Track/CurrentBPM",
    "Track/CurrentKeyIndex",
    "Track/SampleRate",
    "Track/SongLoaded",
    "Track/SongName",
    "Track/TrackNetworkPath",
)
PLAYER = "/Client/Preferences/Player"


def deck_state(number: int, name: str) -> str:
    """Return the full name of a state of a deck."""
    return f"/Engine/Deck{number}/{name}"


def fader_state(number: int) -> str:
    """Return the name of the state of a channel fader."""
    return f"/Mixer/CH{number}faderPosition"


_DECKS = range(1, N_DECKS + 1)
STATES = (
    PLAYER,
    *(deck_state(number, name) for number in _DECKS for name in DECK_STATES),
    *(fader_state(number) for number in _DECKS),
)
"""The states that are asked for; no others are kept."""


def subscribe(name: str) -> bytes:
    """Write the request to be told of a state, whenever it changes."""
    return frame(_STATES + u32(_SUBSCRIBE) + text(name) + u32(0))


def read_state(message: bytes) -> tuple[str, Value] | None:
    """Read a state and its value; None for other messages and values. Raises `BadMessage`."""
    reader = Reader(message)
    if reader.take(4) != _STATES:
        raise BadMessage("The message holds no state.")
    if reader.u32() != _EMIT:
        return None
    name, written = reader.text(), reader.text()
    try:
        content = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"The state {name[:100]!r} is no JSON.") from error
    if not isinstance(content, dict):
        return None
    value = next((content[key] for key in _VALUE_NAMES if key in content), None)
    if isinstance(value, str):
        return name, value[:_MAX_TEXT]
    if isinstance(value, bool):
        return name, value
    if isinstance(value, int | float) and abs(value) < 1e12:
        return name, float(value)
    return None


@dataclass(frozen=True, slots=True)
class Beat:
    """Where a deck is: beats of its grid, tempo (BPM), and samples since the track's start."""

    beat: float
    total_beats: float
    tempo_bpm: float
    samples: float


def start_beats() -> bytes:
    """Write the request for beats."""
    return frame(u32(_BEATS_START))


def read_beats(message: bytes) -> tuple[Beat, ...] | None:
    """Read the beats of all decks; None for other messages. Raises `BadMessage`."""
    reader = Reader(message)
    if reader.u32() != _BEATS:
        return None
    reader.u64()  # clock of the device, in nanoseconds
    n_decks = reader.u32()
    if n_decks > N_DECKS:
        raise BadMessage(f"A player has no {n_decks} decks.")
    decks = [(reader.f64(), reader.f64(), reader.f64()) for _ in range(n_decks)]
    samples = [reader.f64() for _ in range(n_decks)]
    if not all(map(math.isfinite, (*samples, *(value for deck in decks for value in deck)))):
        raise BadMessage("A beat is not finite.")
    return tuple(Beat(*deck, at) for deck, at in zip(decks, samples, strict=True))
