"""Writes the outcome of a stage, and of a job, into the manifest."""

from core.errors import StemcrateError
from core.pipeline.context import JobContext, StageContext
from core.pipeline.results import DecodeResult, PlaylistResult, SeparationResult, StageResult
from core.pipeline.stage import AnyStage
from core.system.clock import now
from core.system.defects import describe_defect
from stemcrate.schemas.manifest import (
    Artefact,
    Failure,
    JobState,
    ProcessingManifest,
    SourceRecord,
    StageState,
    TrackRecord,
)


class Outcome:
    """The outcome of one attempt at a stage."""

    def __init__(
        self,
        state: StageState,
        context: StageContext | JobContext,
        *,
        result: StageResult | None = None,
        error: Exception | None = None,
        cache_key: str | None = None,
        cache_hit: bool = False,
    ) -> None:
        self.state = state
        self._cache_key = cache_key
        self._cache_hit = cache_hit
        self.seconds = 0.0
        self._context = context
        self._result = result
        self._failure = failure_of(error) if error else None

    @property
    def artefacts(self) -> list[Artefact]:
        """What the attempt made."""
        return self._context.artefacts

    def write(
        self,
        manifest: ProcessingManifest,
        stage: AnyStage,
        track_index: int | None,
        published: list[str] | None,
    ) -> None:
        """Write this outcome to the manifest; ``published`` are its files for later stages."""
        record = manifest.stage(stage.name, track_index)
        record.state = self.state
        record.seconds = self.seconds
        record.warnings = self._context.warnings
        record.error = self._failure
        record.work_files = self._needed(published)
        record.cache_key = self._cache_key
        record.cache_hit = self._cache_hit or (self._result is not None and self._result.is_known)
        owner = manifest if track_index is None else manifest.tracks[track_index]
        if self._result is not None:
            record.result = self._result.model_dump(mode="json", exclude_unset=True)
            owner.artefacts = [a for a in owner.artefacts if a.stage != stage.name]
            owner.artefacts += self._context.artefacts
        if isinstance(owner, TrackRecord):
            if self._result is not None:
                owner.analysis.merge(self._result.facts)
                _describe(self._result, manifest, owner)
            if self._failure is not None and stage.essential:
                owner.error = self._failure
                owner.state = JobState.FAILED
        elif isinstance(self._result, PlaylistResult):
            owner.playlist = self._result.playlist

    def _needed(self, published: list[str] | None) -> list[str] | None:
        """Leave out the files that a later stage can do without."""
        if published is None or not isinstance(self._context, StageContext):
            return published
        return [name for name in published if name not in self._context.spare]


def _describe(result: StageResult, manifest: ProcessingManifest, track: TrackRecord) -> None:
    """Copy what was learned of the source, the model and the device to their places."""
    if isinstance(result, DecodeResult):
        track.source = SourceRecord.model_validate(
            track.source.model_dump() | result.source.model_dump()
        )
    if isinstance(result, SeparationResult):
        manifest.model, manifest.device = result.model, result.device


def failure_of(error: Exception) -> Failure:
    """Convert an exception to the manifest's record of it."""
    if isinstance(error, StemcrateError):
        return Failure(
            code=error.code, message=error.message, hint=error.hint, retryable=error.retryable
        )
    return Failure(
        code="stage_failed",
        message=describe_defect(error),
        hint="This is a defect: please report it with the manifest.",
    )


def conclude(manifest: ProcessingManifest, failure: Failure | None) -> None:
    """Set a job's final state: completed if at least one track is usable and nothing failed."""
    for track in manifest.tracks:
        if not track.state.is_final:
            track.state = JobState.FAILED if failure else JobState.COMPLETED
            track.error = track.error or failure
    usable = any(track.state == JobState.COMPLETED for track in manifest.tracks)
    manifest.state = JobState.COMPLETED if usable and not failure else JobState.FAILED
    manifest.finished_at = now()
    if manifest.state == JobState.FAILED:
        manifest.error = failure or next((t.error for t in manifest.tracks if t.error), None)
