"""Playlists of the library as the API describes them."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from stemcrate.schemas.library import TrackLine
from stemcrate.schemas.sets import RelaxedWish, SetWishes
from stemcrate.schemas.transitions import Transition

EXAMPLE_PLAYLIST_ID = "0199b6f0-5c3a-7d2e-9a41-3f8a6c1e7b21"


TargetSystem = Literal["linux", "macos", "windows"]


class StemFormat(StrEnum):
    """Codec of the tracks of a STEM file; the last is lossy."""

    ALAC_24 = "alac-24"
    ALAC_16 = "alac-16"
    AAC = "aac"


class PlaylistOrder(BaseModel):
    """The tracks of a playlist, in order."""

    model_config = ConfigDict(extra="forbid")

    tracks: list[str] = Field(min_length=1, max_length=10_000, description="Ids of tracks.")


class PlaylistChange(BaseModel):
    """What is changed of a playlist besides its tracks."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=500, description="Name of the set.")


class PlaylistRequest(SetWishes):
    """A new playlist: planned, or with `tracks` in the given order."""

    name: str = Field(
        min_length=1, max_length=500, description="Name of the set.", examples=["Dark Techno Set"]
    )
    duration_s: float | None = Field(None, ge=1, description="Duration of the set, in seconds.")
    tracks: list[str] | None = Field(
        None, max_length=10_000, description="Use exactly these tracks in this order."
    )
    among: list[str] | None = Field(
        None, description="Tracks to choose from; the whole library by default."
    )


class PlaylistLine(BaseModel):
    """Summary of a playlist."""

    id: str = Field(examples=[EXAMPLE_PLAYLIST_ID])
    name: str
    created_at: datetime
    n_tracks: int


class PlaylistPage(BaseModel):
    """A page of playlists, newest first."""

    playlists: list[PlaylistLine]
    next_cursor: str | None = Field(description="Pass it as `cursor` to get the next page.")


class PlaylistView(PlaylistLine):
    """A playlist with its tracks and transitions."""

    version: str = Field(description="Changes when the playlist does; also the `ETag`.")
    request: SetWishes | None = Field(
        description="What the set was planned for, and is rated by; null in playlists without "
        "wishes."
    )
    duration_s: float | None = Field(
        description="From mixing in the first track to the end of the last."
    )
    score: float | None = Field(description="Mean of the transitions' scores, 0 to 1.")
    curve_fit: float | None = Field(
        description="How well the tracks fit the energy curve, 0 to 1; null without a curve."
    )
    order: list[str] = Field(description="Ids of all tracks in playing order.")
    starts_s: list[float] = Field(
        description="Start of each track of `order`, in seconds of the set."
    )
    wanted_energy: list[float] = Field(
        description="Energy of the curve at each track of `order`; empty without a curve."
    )
    tracks: list[TrackLine]
    gone: list[str] = Field(description="Ids of tracks that are no longer in the library.")
    transitions: list[Transition]
    relaxed: list[RelaxedWish]
    exports: dict[str, str] = Field(description="URLs by format.")
