"""Sets and playlists of the library as the API describes them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from stemcrate.schemas.library import TrackLine
from stemcrate.schemas.transitions import TransitionView

EXAMPLE_PLAYLIST_ID = "0199b6f0-5c3a-7d2e-9a41-3f8a6c1e7b21"
DEFAULT_MAX_PITCH_PERCENT = 6.0
"""How far a DJ changes the pitch of a track to match another, in percent."""


class PlaylistOrder(BaseModel):
    """The tracks of a playlist, in order."""

    model_config = ConfigDict(extra="forbid")

    tracks: list[str] = Field(min_length=1, max_length=10_000, description="Ids of tracks.")


class PlaylistRequest(BaseModel):
    """A new playlist: planned, or, where `tracks` are given, as they stand there."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=500, examples=["Dark Techno Set"])
    tracks: list[str] | None = Field(
        None, max_length=10_000, description="Exactly these, in this order; nothing is planned."
    )
    among: list[str] | None = Field(
        None, description="Tracks to choose from; the whole library by default."
    )
    duration_s: float | None = Field(None, gt=0, description="How long the set should last.")
    n_tracks: int | None = Field(None, ge=1, description="How many tracks it should have.")
    curve: str | Annotated[list[tuple[float, float]], Field(max_length=1000)] | None = Field(
        None,
        description="`warm-up`, `peak`, `cool-down`, `wave`, `flat`, or points "
        "[progress 0 to 1, energy 1 to 10].",
    )
    start: str | None = Field(None, description="The first track.")
    end: str | None = Field(None, description="The last track.")
    must_play: list[str] = Field([], description="Tracks that have to be in it.")
    never: list[str] = Field([], description="Tracks that must not be in it.")
    artist_gap: int = Field(0, ge=0, description="No artist twice within so many tracks.")
    max_pitch_percent: float = Field(
        DEFAULT_MAX_PITCH_PERCENT, gt=0, lt=100, description="Largest change of pitch."
    )


class RelaxedWish(BaseModel):
    """A wish that could not be met, and what happens instead."""

    wish: str
    words: str


class PlaylistLine(BaseModel):
    """A playlist in a line."""

    id: str = Field(examples=[EXAMPLE_PLAYLIST_ID])
    name: str
    created_at: datetime
    n_tracks: int


class PlaylistPage(BaseModel):
    """A page of playlists, newest first."""

    playlists: list[PlaylistLine]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page.")


class PlaylistView(PlaylistLine):
    """A playlist with its tracks and why they stand so."""

    duration_s: float | None = Field(description="As planned; null where the order was given.")
    score: float | None
    tracks: list[TrackLine]
    gone: list[str] = Field(description="Ids of tracks that are no longer in the library.")
    transitions: list[TransitionView]
    relaxed: list[RelaxedWish]
    exports: dict[str, str] = Field(description="Where to get it, by format.")
