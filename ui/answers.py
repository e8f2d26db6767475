"""The API's answers as this room reads them. The shapes are written in `api/schemas.py`; a test
holds the two against each other, since nothing here may import them.
"""

from typing import Any, Literal, TypedDict

JobState = Literal["queued", "running", "completed", "failed", "cancelled"]
JobKind = Literal["separation", "analysis"]
FINAL_STATES: frozenset[str] = frozenset({"completed", "failed", "cancelled"})


class ModelInfo(TypedDict):
    """A separator model; ``stems`` is empty where only the weights tell."""

    name: str
    family: str
    stems: list[str]
    licence: str
    description: str
    available: bool


class ModelChoice(TypedDict):
    """The model that a job gets when it names none."""

    configured: str
    resolved: str | None
    reason: str


class RecipeInfo(TypedDict):
    """A named sum of stems."""

    name: str
    description: str
    stems: list[str] | None
    without: list[str]


class RequestLimits(TypedDict):
    """What one request may send."""

    max_upload_bytes: int
    max_duration_s: float
    max_files_per_job: int


class Configuration(TypedDict):
    """What the installation offers."""

    version: str
    models: list[ModelInfo]
    model: ModelChoice
    stages: list[str]
    recipes: list[RecipeInfo]
    formats: list[str]
    bit_depths: list[str]
    defaults: dict[str, Any]
    limits: RequestLimits


class Failure(TypedDict):
    """Why a job or a track failed."""

    code: str
    message: str
    hint: str


class JobWarning(TypedDict):
    """What to know about a result that is usable all the same.

    ``track_index`` is None for one of the whole job.
    """

    code: str
    message: str
    stage: str | None
    track_index: int | None


class Track(TypedDict):
    """One mixture of a job; of its analysis what one value tells. The manifest has all of it."""

    index: int
    name: str
    state: JobState
    analysis: dict[str, Any]
    error: Failure | None


class Stage(TypedDict):
    """One stage; ``track_index`` is None for a stage of the whole job."""

    track_index: int | None
    name: str
    state: str
    seconds: float | None


class Job(TypedDict):
    """Where a job stands; a job whose kind is ``analysis`` delivers no files."""

    job_id: str
    kind: JobKind
    state: JobState
    created_at: str
    started_at: str | None
    finished_at: str | None
    stage: str | None
    track_index: int | None
    fraction: float
    eta_s: float | None
    silent_s: float | None
    model: dict[str, Any]
    device: dict[str, Any]
    tracks: list[Track]
    stages: list[Stage]
    warnings: list[JobWarning]
    error: Failure | None


class JobSummary(TypedDict):
    """A line of the history."""

    job_id: str
    kind: JobKind
    state: JobState
    created_at: str
    finished_at: str | None
    names: list[str]
    n_tracks: int
    model: str | None
    n_warnings: int


class JobPage(TypedDict):
    """A page of the history, newest first."""

    jobs: list[JobSummary]
    next_cursor: str | None


class Artefact(TypedDict):
    """A delivered file; ``url`` is below the API's address."""

    name: str
    role: str
    label: str
    format: str
    bytes: int
    duration_s: float | None
    sample_rate: int | None
    bit_depth: str | None
    gain_db: float | None
    track_index: int | None
    url: str


class Outputs(TypedDict):
    """Everything that a job delivered."""

    job_id: str
    artefacts: list[Artefact]
    zip_url: str


class Peaks(TypedDict):
    """The picture of one output: linear full scale, one value a bin."""

    peaks_min: list[float]
    peaks_max: list[float]
    rms: list[float]


class Waveforms(TypedDict):
    """The pictures of all outputs of a track, by label."""

    n_bins: int
    outputs: dict[str, Peaks]


class PlaylistTrack(TypedDict, total=False):
    """A track in its place in the playlist; ``index`` is its place in the job."""

    index: int
    title: str
    artist: str | None
    tempo_bpm: float | None
    camelot: str | None
    energy: int | None
    duration_s: float | None


Transition = TypedDict(
    "Transition",
    {
        "from": int,
        "to": int,
        "score": float,
        "pitch_change_percent": float | None,
        "reasons": list[str],
    },
)
"""How one track of the playlist mixes into the next."""


class Playlist(TypedDict, total=False):
    """The job's tracks in the order that mixes best; empty when the stage did not run."""

    name: str
    score: float
    tracks: list[PlaylistTrack]
    transitions: list[Transition]


class Manifest(TypedDict):
    """The record of a job, as far as the screen shows it."""

    job_id: str
    options: dict[str, Any]
    software: dict[str, str]
    tracks: list[dict[str, Any]]
    playlist: Playlist
