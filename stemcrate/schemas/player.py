"""What a player needs to play, draw and mix a track of a job, or of the library.

All lanes lie on one axis of frames: frame ``k`` of every lane belongs to the time
``k / sample_rate``. URLs are paths below the address of the API; ``{segment}`` in `segments_url`
stands for a number from 0 to ``n_segments - 1``.
"""

from typing import Literal

from pydantic import BaseModel, Field

from stemcrate.schemas.facts import Chord, CuePoint, Interval, Part, Section

ORIGINAL = "original"
"""Label and role of the recording as it came in."""

WaveformKind = Literal["dat", "bands"]
"""Minimum and maximum, or the level of three bands."""


class PlayerLane(BaseModel):
    """One sound that can be heard and mixed.

    A sample that a segment decodes to, times ``scale``, is the sample of the delivered file.
    """

    label: str = Field(description="Such as `vocals`; `original` for the recording as it came in.")
    role: str = Field(description="`original`, `stem`, `composite` or `harmonic_percussive`.")
    name: str = Field(
        description="Name of the output that it plays; of the uploaded file for the original."
    )
    same_as: str | None = Field(
        description="Label of another lane with the same samples, of which a mix needs one."
    )
    source: Literal["file", "stems"] = Field(
        description="`stems`: the upload no longer exists, and the original is the sum of the "
        "stems without their gains."
    )
    gain_db: float = Field(description="Gain that normalization applied; 0 for the original.")
    is_percussive: bool = Field(description="Drums alone: exempt from changes of pitch.")
    bit_depth: Literal[16, 24] = Field(description="Of the segments.")
    scale: float = Field(
        description="Factor for decoded samples, a power of two; 1 for integer formats."
    )
    segments_url: str = Field(description="Template of the URLs of the segments.")
    waveform_url: str = Field(
        description="Minimum and maximum in the `.dat` format of audiowaveform, before gain."
    )
    bands_url: str = Field(description="Level of bass, middle and treble, before gain.")
    spectrogram_url: str
    stream_url: str = Field(
        description="Playlist for players of HLS: AAC at several bit rates, for slow links."
    )
    download_url: str | None = Field(
        description="The delivered file, as an attachment; null for the original."
    )


class PlayerGrid(BaseModel):
    """Beats and bars, empty without a pulse; bar ``k`` begins at ``downbeats_s[k - 1]``."""

    beats_s: list[float]
    downbeats_s: list[float]
    beats_per_bar: int | None


class PlayerLoop(Part):
    """A stored loop."""

    start_s: float
    end_s: float
    name: str
    colour: str | None = Field(None, description="As of a cue point; null: the default.")


class PlayerTrack(BaseModel):
    """A track with everything that a player plays and draws."""

    job_id: str | None = Field(description="Null for a track of the library.")
    index: int | None = Field(
        description="Of the track in its job, from 0; null for a track of the library."
    )
    track_id: str = Field(description="SHA-256 of the file's bytes: its id in the library.")
    title: str | None
    artist: str | None
    sample_rate: int = Field(description="Sample rate of all segments in Hz.")
    n_channels: int
    n_frames: int
    duration_s: float
    segment_frames: int = Field(
        description="Frames of a segment; segment `i` begins at frame `i * segment_frames`, and "
        "the last one may be shorter."
    )
    n_segments: int
    lanes: list[PlayerLane] = Field(
        description="The original first, unless neither the upload nor stems that sum to it exist; "
        "then stems, composites, and the harmonic and percussive parts."
    )
    grid: PlayerGrid
    sections: list[Section]
    chords: list[Chord]
    vocals_s: list[Interval] | None = Field(
        description="Sung passages, start and end; null if unknown."
    )
    cues: list[CuePoint]
    loops: list[PlayerLoop]
    tempo_bpm: float | None
    key: str | None
    camelot: str | None
    original_loudness_lufs: float | None = Field(
        description="Integrated loudness of the recording as it came in."
    )
    main_loudness_lufs: float | None = Field(
        description="Integrated loudness of `main`, or of the sum of the stems, as delivered; null "
        "if unknown."
    )
