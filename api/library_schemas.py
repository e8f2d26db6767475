"""What the API says of the library and its playlists, as types."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import JobReference
from core.playlist.tempo import DEFAULT_MAX_PITCH_PERCENT

EXAMPLE_TRACK_ID = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
EXAMPLE_PLAYLIST_ID = "0199b6f0-5c3a-7d2e-9a41-3f8a6c1e7b21"


class TrackLine(BaseModel):
    """A track of the library in a line; null stands for what is not known."""

    id: str = Field(description="SHA-256 of the file's bytes.", examples=[EXAMPLE_TRACK_ID])
    title: str
    artist: str | None
    duration_s: float | None
    tempo_bpm: float | None
    camelot: str | None
    energy: float | None = Field(description="1 to 10.")
    integrated_loudness_lufs: float | None
    vocal_ratio: float | None = Field(description="Share of the time with vocals, 0 to 1.")
    stems: list[str] = Field(description="Stems that a job separated it into.")
    added_at: datetime
    is_missing: bool = Field(description="Whether its file is no longer where it was.")


class LibraryPage(BaseModel):
    """A page of tracks."""

    tracks: list[TrackLine]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page.")


class TrackDetails(TrackLine):
    """All that is known of a track."""

    name: str = Field(description="What its file was called.")
    bytes: int
    n_files: int = Field(description="In how many places its bytes lie.")
    sample_rate: int | None
    n_channels: int | None
    bit_depth: int | None
    codec: str | None
    container: str | None
    tags: dict[str, Any]
    facts: dict[str, Any] = Field(description="What the analysis found, as in a job's manifest.")
    jobs: list[str] = Field(description="Jobs that processed it.")
    cover_url: str | None


class RefusedFile(BaseModel):
    """A file that could not be added."""

    name: str
    code: str
    detail: str
    hint: str


class Added(BaseModel):
    """What became of the tracks of a job."""

    added: list[str] = Field(description="Ids of the tracks that are new.")
    known: list[str] = Field(description="Ids of those that were there before.")
    refused: list[RefusedFile]


class Adding(BaseModel):
    """What becomes of the files that were sent."""

    job: JobReference | None = Field(
        description="The job that analyses the new ones; null where there is none."
    )
    known: list[str] = Field(description="Ids of tracks that were there before.")
    refused: list[RefusedFile]


class SimilarTrack(BaseModel):
    """A track that sounds like another."""

    track: TrackLine
    similarity: float = Field(description="Cosine of the descriptors, -1 to 1.")


class SimilarTracks(BaseModel):
    """The tracks that sound most like one, best first."""

    tracks: list[SimilarTrack]


class DroppedStem(BaseModel):
    """A stem to take out so that nothing clashes."""

    track_id: str
    stem: str
    start_s: float
    end_s: float


class TransitionView(BaseModel):
    """How one track mixes into the next; scores run from 0 to 1, times are of their own track."""

    model_config = ConfigDict(populate_by_name=True)

    from_id: str = Field(alias="from")
    to_id: str = Field(alias="to")
    score: float
    harmony: float
    tempo: float
    energy: float
    loudness: float
    timbre: float
    vocals: float
    pitch_change_percent: float | None
    mix_out_s: float | None
    mix_in_s: float
    overlap_s: float | None
    overlap_bars: int | None
    vocal_clash_s: float | None
    drops: list[DroppedStem]
    reasons: list[str]


class CompatibleTrack(BaseModel):
    """A track that mixes with another, and why."""

    track: TrackLine
    transition: TransitionView


class CompatibleTracks(BaseModel):
    """The tracks that mix well after one, best first."""

    tracks: list[CompatibleTrack]


class DuplicateGroupView(BaseModel):
    """Tracks that are the same."""

    level: Literal["bytes", "packets", "recording", "review"] = Field(
        description="`bytes`: one track in several files; `packets`: the same encoded audio with "
        "other tags; `recording`: the same recording in other encodings; `review`: a person "
        "should judge."
    )
    bit_error_rate: float | None
    tracks: list[TrackLine]


class Duplicates(BaseModel):
    """What the library holds more than once, the surest first."""

    groups: list[DuplicateGroupView]


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
