"""The record of a job: what came in, what was done, what came out.

The manifest is the record; every database is an index that can be rebuilt from it. It is written
after every stage (`core.artifacts.store.JobStore.update`), and every job ends with one that is
``completed``, ``failed`` or ``cancelled``.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from stemcrate.schemas.delivered import DeliveredLoudness
from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.options import RecordedOptions
from stemcrate.schemas.owners import LOCAL
from stemcrate.schemas.record import Partial, Record
from stemcrate.schemas.sets import SetDescription
from stemcrate.schemas.tags import TextTags

SCHEMA_VERSION = 1


class JobState(StrEnum):
    """State of a job; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self in (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)


class StageState(StrEnum):
    """State of a stage; the last three are final."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the stage has ended."""
        return self in (StageState.COMPLETED, StageState.FAILED, StageState.CANCELLED)


class Failure(Record):
    """An error (`core.errors`).

    ``retryable``: the cause may pass, so the upload stays and the job can be tried again.
    """

    code: str
    message: str
    hint: str = ""
    retryable: bool = False


class StageWarning(Record):
    """A warning about a usable result."""

    code: str
    message: str
    stage: str | None = None


class Artefact(Record):
    """A file that a stage made.

    ``name`` is the path below the job's folder, with ``/``; it is what ``/download`` takes.
    ``role`` tells what it is (``stem``, ``composite``, ``harmonic_percussive``, ``waveform``,
    ``playlist``), ``label`` which one (``vocals``, ``instrumental``). ``mp3_offset_ms``, of MP3
    only, is each DJ program's time offset (`core.export.mp3_offset`).
    """

    name: str
    role: str
    label: str
    stage: str
    format: str
    sha256: str
    bytes: int
    duration_s: float | None = None
    sample_rate: int | None = None
    bit_depth: str | None = None
    gain_db: float | None = None
    loudness: DeliveredLoudness | None = Field(
        None, description="Loudness of audio as delivered; null where it was not measured."
    )
    mp3_offset_ms: dict[str, float] | None = None
    same_as: str | None = Field(
        None,
        description="`name` of another artefact with the same samples: their one file is stored "
        "under that name, and downloaded under both.",
    )

    @property
    def stored_as(self) -> str:
        """Path of its file below the job's folder."""
        return self.same_as or self.name

    @property
    def is_packed(self) -> bool:
        """Whether its file is in the job's ZIP: for people, and under this name."""
        return self.role != "waveform" and self.same_as is None


class StageDeaths(Record):
    """Deaths while a stage ran, in a row without progress between them.

    Attributes
    ----------
    process : deaths of the stage's process alone; its worker lived on.
    worker : deaths of the whole worker or its machine.
    kept_bytes : bytes that the attempts had kept for the next one at the last death; more of
        them are progress.
    """

    process: int = 0
    worker: int = 0
    kept_bytes: int = 0


class ProcessingStage(Record):
    """The record of one stage: parameters, state, result, warnings, error.

    Attributes
    ----------
    attempts : number of the newest attempt, the only one that may write.
    deaths : what counts against the stage; a restart of its worker does not.
    work_files : names of the files that it wrote for later stages of its track; None before it
        completed.
    """

    name: str
    version: str
    state: StageState = StageState.PENDING
    attempts: int = 0
    deaths: StageDeaths = Field(default_factory=StageDeaths)
    started_at: datetime | None = None
    seconds: float | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    cache_key: str | None = None
    cache_hit: bool = False
    result: dict[str, Any] = Field(default_factory=dict)
    work_files: list[str] | None = None
    warnings: list[StageWarning] = Field(default_factory=list)
    error: Failure | None = None


class SourceDetails(Record):
    """Metadata of a file before decoding."""

    duration_s: float | None = None
    sample_rate: int | None = None
    n_channels: int | None = None
    bit_depth: int | None = None
    codec: str | None = None
    container: str | None = None
    tags: TextTags = Field(default_factory=TextTags)


class SourceRecord(SourceDetails):
    """One uploaded recording as it came in. ``sha256`` of its bytes is the track's id."""

    name: str
    sha256: str
    bytes: int


class ModelRecord(Partial):
    """The separator that a job used, why, and under which licence."""

    name: str | None = None
    requested: str | None = None
    reason: str | None = None
    licence: str | None = None
    source: list[str] = Field(default_factory=list)
    weights_sha256: str | None = None
    sample_rate: int | None = None
    stems: list[str] = Field(default_factory=list)


class DeviceRecord(Partial):
    """The device of a job; ``fallbacks`` lists what did not fit, as sentences."""

    requested: str | None = None
    name: str | None = None
    fallbacks: list[str] = Field(default_factory=list)


class TrackRecord(Record):
    """Everything about one mixture of the job."""

    index: int
    source: SourceRecord
    state: JobState = JobState.QUEUED
    stages: list[ProcessingStage] = Field(default_factory=list)
    artefacts: list[Artefact] = Field(default_factory=list)
    analysis: JobFacts = Field(default_factory=JobFacts)
    error: Failure | None = None


class TransferNote(Record):
    """Where all files of a job were put; ``index_url`` lists them."""

    target: str
    index_url: str
    at: datetime
    n_files: int
    n_bytes: int


class ProcessingManifest(Record):
    """The whole job. See `docs/architecture.md` for an annotated example.

    ``n_retries`` is how often the job was tried again; times are those of the last try.
    """

    schema_version: int = SCHEMA_VERSION
    job_id: str
    owner: str = LOCAL
    state: JobState = JobState.QUEUED
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    n_retries: int = 0
    options: RecordedOptions = Field(default_factory=RecordedOptions)
    software: dict[str, str] = Field(default_factory=dict)
    model: ModelRecord = Field(default_factory=ModelRecord)
    device: DeviceRecord = Field(default_factory=DeviceRecord)
    tracks: list[TrackRecord] = Field(default_factory=list)
    stages: list[ProcessingStage] = Field(default_factory=list)
    artefacts: list[Artefact] = Field(default_factory=list)
    playlist: SetDescription = Field(default_factory=SetDescription)
    error: Failure | None = None
    transfers: list[TransferNote] = Field(default_factory=list)

    @property
    def n_failed_tracks(self) -> int:
        """Number of tracks that failed; the job completes if at least one did not."""
        return sum(track.state == JobState.FAILED for track in self.tracks)

    def all_artefacts(self) -> list[Artefact]:
        """Return the artefacts of every track, then those of the job."""
        return [a for track in self.tracks for a in track.artefacts] + self.artefacts

    def all_stages(self) -> list[ProcessingStage]:
        """Return the stage records of every track, then those of the job."""
        return [s for track in self.tracks for s in track.stages] + self.stages

    def all_warnings(self) -> list[StageWarning]:
        """Return the warnings of every stage, in order."""
        return [w for stage in self.all_stages() for w in stage.warnings]

    def stage(self, name: str, track_index: int | None) -> ProcessingStage:
        """Return a stage's record; ``track_index`` is None for a stage of the whole job."""
        stages = self.stages if track_index is None else self.tracks[track_index].stages
        return next(stage for stage in stages if stage.name == name)
