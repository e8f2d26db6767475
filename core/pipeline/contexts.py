"""Makes the contexts that stages run in, and the files between stages that this host lacks."""

import logging
from collections.abc import Callable
from typing import Any

from core.analysis.store import FactStore
from core.artifacts.store import JobStore
from core.library.corrections.record import CorrectionStore
from core.pipeline.attempt_files import AttemptFiles, RestoredFiles
from core.pipeline.attempts import Attempts
from core.pipeline.context import JobContext, StageContext
from core.pipeline.runtime import Runtime
from core.pipeline.stage import AnyStage, TrackStage
from core.pipeline.stage_ref import StageRef
from core.system.progress import Cancelled, Progress, ignore_progress
from stemcrate.schemas.manifest import ProcessingManifest, StageState

logger = logging.getLogger(__name__)


class StageContexts:
    """Contexts of the stages of one pipeline; ``stage`` returns a stage by its name."""

    def __init__(
        self,
        store: JobStore,
        runtime: Runtime,
        stage: Callable[[str], AnyStage],
        attempts: Attempts,
    ) -> None:
        self._store = store
        self._runtime = runtime
        self._stage = stage
        self._attempts = attempts

    def make(
        self,
        ref: StageRef,
        manifest: ProcessingManifest,
        files: AttemptFiles,
        progress: Progress,
        cancelled: Cancelled,
    ) -> StageContext | JobContext:
        """Return the context of an attempt at a stage, with its files."""
        common: dict[str, Any] = {
            "stage_name": ref.stage_name,
            "options": manifest.options,
            "runtime": self._runtime,
            "files": files,
            "taken_names": [artefact.name for artefact in manifest.all_artefacts()],
            "corrections": CorrectionStore(self._store.storage, manifest.owner),
            "progress": progress,
            "cancelled": cancelled,
        }
        if ref.track_index is None:
            return JobContext(manifest=manifest, **common)
        track = manifest.tracks[ref.track_index]
        return StageContext(
            track=track,
            source=self._store.upload_path(track.source.sha256),
            fact_store=FactStore(self._store.data_dir, self._runtime.cache_max_bytes),
            restore=lambda name: self._restore(ref, manifest, name, cancelled),
            **common,
        )

    def _restore(
        self, ref: StageRef, manifest: ProcessingManifest, name: str, cancelled: Cancelled
    ) -> None:
        """Make a file between stages that another host has made and kept, if a stage lists it.

        Taken from the cache, or made again; nothing of it is recorded.
        """
        assert ref.track_index is not None
        track = manifest.tracks[ref.track_index]
        record = next((r for r in track.stages if name in (r.work_files or ())), None)
        if record is None or record.state != StageState.COMPLETED:
            return
        logger.info("restoring %s of %s", name, record.name)
        made = StageRef(ref.job_id, record.name, ref.track_index)
        files = RestoredFiles(made, self._attempts.shared_folder(ref))
        try:
            context = self.make(made, manifest, files, ignore_progress, cancelled)
            assert isinstance(context, StageContext)
            cache = self._store.stage_cache(self._runtime.cache_max_bytes)
            stage = self._stage(record.name)
            assert isinstance(stage, TrackStage)
            if record.cache_key is None or context.take_from(cache, record.cache_key) is None:
                stage.execute(context)
            files.publish()
        finally:
            files.remove()
