"""Players on the network (StageLinQ), what their decks play, and what was played."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

EXAMPLE_DEVICE_ID = "f405dc14022347f58b792c8c49335276"


class DeviceState(StrEnum):
    """How a player stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"


class Deck(BaseModel):
    """A deck (on some players: a layer) and what it plays. Unknown values are null."""

    number: int = Field(ge=1, le=4)
    is_loaded: bool = False
    is_playing: bool = False
    is_master: bool = Field(False, description="Whether other decks follow its tempo.")
    title: str | None = None
    artist: str | None = None
    path: str | None = Field(None, description="The track's path, as the player names it.")
    track_id: str | None = Field(
        None,
        description="The track of the library with this artist and title; null if there is none, "
        "or several.",
    )
    tempo_bpm: float | None = Field(None, description="Tempo now, with the pitch fader.")
    track_tempo_bpm: float | None = Field(None, description="Tempo of the track at 0 %.")
    speed: float | None = Field(None, description="1: as recorded.")
    key: str | None = Field(None, examples=["A minor"])
    camelot: str | None = Field(None, examples=["8A"])
    fader: float | None = Field(None, description="Channel fader, 0 to 1.")
    position_s: float | None = Field(None, description="Position in the track, in seconds.")
    beat: float | None = Field(None, description="Beats since the first beat of the grid.")
    total_beats: float | None = None
    bar: int | None = Field(None, description="Bar of the grid, from 1, in four-four time.")
    beat_in_bar: int | None = Field(None, description="1 to 4.")


class DeckDevice(BaseModel):
    """A player on the network."""

    id: str = Field(description="Its token, in hex.", examples=[EXAMPLE_DEVICE_ID])
    name: str = Field(examples=["sc6000"])
    software: str = Field(examples=["JP13"])
    version: str = Field(examples=["2.3.1"])
    address: str = Field(examples=["169.254.12.7"])
    state: DeviceState
    error: str | None = Field(None, description="Why it is not connected, if it was tried.")
    player: int | None = Field(None, description="Number of the player in its preferences.")
    services: list[str] = Field(default_factory=list, description="Services that it offers.")
    decks: list[Deck] = Field(default_factory=list)


class PlayedTrack(BaseModel):
    """A track that was heard."""

    at: datetime = Field(description="When it started.")
    device_id: str
    deck: int
    title: str | None
    artist: str | None
    path: str | None
    track_id: str | None = Field(None, description="As of a deck.")


class DecksReport(BaseModel):
    """All players that are heard on the network."""

    is_on: bool = Field(description="Whether this installation listens for players (DECKS).")
    error: str | None = Field(None, description="Why it cannot listen.")
    devices: list[DeckDevice] = Field(default_factory=list)
    played: list[PlayedTrack] = Field(
        default_factory=list, description="Tracks that were heard, oldest first."
    )
