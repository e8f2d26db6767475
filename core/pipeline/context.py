"""What a stage may use: its options, earlier results, audio, artefacts, progress.

A stage knows no job id, no HTTP, and no path except those that its context provides.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from core.analysis.store import FactStore
from core.artifacts.cache import StageCache
from core.artifacts.hashing import hash_file
from core.audio.writing.wavefile import AudioReader, AudioWriter
from core.errors import JobCancelled, StageFailed
from core.library.corrections.jobs import correct_track
from core.library.corrections.record import CorrectionStore
from core.pipeline.attempt_files import AttemptFiles
from core.pipeline.results import StageResult
from core.pipeline.runtime import Runtime
from core.system.atomic import atomic_path
from stemcrate.schemas.corrections import Corrections
from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.manifest import (
    Artefact,
    ProcessingManifest,
    StageState,
    StageWarning,
    TrackRecord,
)
from stemcrate.schemas.options import ProcessingOptions

ResultT = TypeVar("ResultT", bound=StageResult)


class _Context:
    """Base of the contexts of tracks and jobs."""

    def __init__(
        self,
        *,
        stage_name: str,
        options: ProcessingOptions,
        runtime: Runtime,
        files: AttemptFiles,
        taken_names: Sequence[str],
        corrections: CorrectionStore,
        progress: Callable[[float], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self.options = options
        self.runtime = runtime
        self.warnings: list[StageWarning] = []
        self.artefacts: list[Artefact] = []
        self.cancelled = cancelled
        self.report_progress = progress
        self._stage_name = stage_name
        self._files = files
        self._taken = set(taken_names)
        self._corrections = corrections

    def progress(self, fraction: float) -> None:
        """Report the fraction done, 0 to 1. Raises `JobCancelled` if the stage should stop."""
        self.check_cancelled()
        self.report_progress(min(max(fraction, 0.0), 1.0))

    def check_cancelled(self) -> None:
        """Raise `JobCancelled` if the job should stop."""
        if self.cancelled():
            raise JobCancelled("The job was cancelled.")

    def warn(self, code: str, message: str) -> None:
        """Add a warning to the manifest."""
        self.warnings.append(StageWarning(code=code, message=message, stage=self._stage_name))

    @property
    def taken_names(self) -> set[str]:
        """Names of the artefacts that any stage or track of the job has made."""
        return self._taken | {artefact.name for artefact in self.artefacts}

    @contextmanager
    def artefact(self, name: str, **fields: Any) -> Iterator[Path]:
        """Yield a temporary path; hash and list the artefact when the block succeeds.

        ``name`` is the path below the job's folder; ``fields`` are those of `Artefact`. Pass all
        other fields up front; size and hash are filled in when the block ends.
        """
        with self._files.new_artefact(name) as (temporary, path):
            yield temporary
        sha256, n_bytes = hash_file(path)
        self.artefacts.append(
            Artefact(name=name, stage=self._stage_name, sha256=sha256, bytes=n_bytes, **fields)
        )

    def repeat_artefact(self, original: Artefact, **fields: Any) -> None:
        """List an artefact once more, under the ``name`` in ``fields``, without a second file."""
        self.artefacts.append(original.model_copy(update={**fields, "same_as": original.stored_as}))


class StageContext(_Context):
    """Context of a stage that works on one mixture."""

    def __init__(
        self,
        *,
        track: TrackRecord,
        source: Path,
        fact_store: FactStore,
        restore: Callable[[str], None],
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self._restore = restore
        self.fact_store = fact_store
        self.source = source
        self.track = track
        self.written: list[Path] = []
        self.spare: set[str] = set()

    @property
    def facts(self) -> JobFacts:
        """What earlier stages of this track found out about the recording."""
        return self.track.analysis

    @property
    def corrected_facts(self) -> JobFacts:
        """The same with corrections by hand, for names, tags and whatever people see."""
        return correct_track(self.track, self._corrections.read).analysis

    @property
    def corrections(self) -> Corrections:
        """The corrections of the recording by hand."""
        return self._corrections.read(self.track.source.sha256).corrections

    def result(self, kind: type[ResultT]) -> ResultT | None:
        """Return the result of an earlier stage of this track; None if it did not complete."""
        for record in self.track.stages:
            if record.name == kind.stage and record.state == StageState.COMPLETED:
                return kind.model_validate(record.result)
        return None

    def require(self, kind: type[ResultT]) -> ResultT:
        """Return the result of an earlier stage. Raises `StageFailed` if there is none."""
        result = self.result(kind)
        if result is None:
            raise StageFailed(
                f"The stage '{kind.stage}' has no result, but a later stage needs it."
            )
        return result

    def reader(self, name: str) -> AudioReader:
        """Open float audio that this or an earlier stage of this track wrote.

        What was written on another host is made again here.
        """
        if not self.work_file(_audio(name)).exists():
            self._restore(_audio(name))
        return AudioReader(self.work_file(_audio(name)))

    @contextmanager
    def writer(self, name: str, *, sample_rate: int, n_channels: int) -> Iterator[AudioWriter]:
        """Write float audio for later stages; it appears only when the block succeeds."""
        with (
            self.work_path(name) as temporary,
            AudioWriter(temporary, sample_rate=sample_rate, n_channels=n_channels) as writer,
        ):
            yield writer

    @contextmanager
    def work_path(self, name: str) -> Iterator[Path]:
        """Yield a temporary path for float audio that other code writes."""
        with atomic_path(self._files.work_folder / _audio(name)) as temporary:
            yield temporary
        self.written.append(self.work_file(_audio(name)))

    def work_file(self, name: str) -> Path:
        """Return the path of a file that this or an earlier stage wrote; it may not exist."""
        return self._files.work_file(name)

    @contextmanager
    def spare_file(self, name: str) -> Iterator[Path]:
        """Yield a temporary path for a file that a later stage makes anew if it is not there."""
        with atomic_path(self._files.work_folder / name) as temporary:
            yield temporary
        self.spare.add(name)

    def take_from(self, cache: StageCache, key: str) -> dict[str, Any] | None:
        """Take a cached result with its audio; return what was found, None if nothing is cached."""
        return cache.get(self.track.source.sha256, key, self._files.work_folder)

    @contextmanager
    def kept_folder(self, name: str) -> Iterator[Path]:
        """Yield a folder from which another attempt resumes; remove it when the block succeeds."""
        with self._files.kept_folder(name) as folder:
            yield folder


class JobContext(_Context):
    """Context of a stage that works on the whole job."""

    def __init__(self, *, manifest: ProcessingManifest, **common: Any) -> None:
        super().__init__(**common)
        self.tracks: Sequence[TrackRecord] = [t for t in manifest.tracks if t.error is None]

    def corrected_tracks(self) -> list[TrackRecord]:
        """Return the tracks with facts that have the corrections by hand."""
        return [correct_track(track, self._corrections.read) for track in self.tracks]


def _audio(name: str) -> str:
    return f"{name}.wav"
