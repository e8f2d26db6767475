"""Watches folders in a worker: a file that has stopped growing becomes a job, once for all."""

import logging
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from core.artifacts.hashing import hash_file
from core.artifacts.names import clean_name
from core.artifacts.scanning import Scanner
from core.artifacts.store import CHUNK_BYTES, JobStore
from core.artifacts.uploads import Upload
from core.audio.reading.prober import Prober
from core.errors import InvalidAudio, StemcrateError, UploadTooLarge
from core.jobs.examination import examine
from core.jobs.service import JobService
from core.jobs.watched import WatchedFiles
from core.pipeline.contents import pack_entries
from core.sources.folders import FolderWatch, look_at
from core.system.disk import require_free, storage_errors
from stemcrate.schemas.manifest import JobState, ProcessingManifest
from stemcrate.schemas.options import ProcessingOptions

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 50
"""Jobs that have not ended before more files are taken: their copies would fill the disk."""
TRY_AGAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What is watched: ``folders``, for jobs with ``options``; ``results`` gets what they make.

    ``results`` None: it stays in the data folder. ``quiet_s``: how long a file must be unchanged.
    """

    folders: tuple[Path, ...]
    options: ProcessingOptions
    results: Path | None = None
    quiet_s: float = 2.0
    max_bytes: int = 500_000_000
    min_free_bytes: int = 0


class Watcher:
    """Turns files of watched folders into jobs. `run` is for one thread."""

    def __init__(
        self,
        watched: WatchOptions,
        store: JobStore,
        jobs: JobService,
        database_url: str,
        scanner: Scanner,
        prober: Prober,
    ) -> None:
        self._options = watched
        self._store = store
        self._jobs = jobs
        self._files = WatchedFiles(database_url)
        self._scanner = scanner
        self._prober = prober

    def run(self, stopping: threading.Event) -> None:
        """Watch until ``stopping`` is set; of several workers over one folder, one does."""
        lock = FileLock(self._store.data_dir / "locks" / "watch.lock", timeout=0)
        while not stopping.is_set():
            try:
                with lock:
                    self._watch(stopping)
            except Timeout:
                logger.debug("another worker watches the folders")
            except (StemcrateError, OSError) as error:
                logger.warning("the folders are watched later: %s", error)
            except Exception:
                logger.exception("watching folders failed")
            stopping.wait(TRY_AGAIN_S)

    def _watch(self, stopping: threading.Event) -> None:
        without = [self._store.data_dir]
        if self._options.results is not None:
            without.append(self._options.results)
        folders = FolderWatch(
            self._options.folders,
            without=without,
            quiet_s=self._options.quiet_s,
            is_known=lambda path, state: self._files.is_known(str(path), state),
        )
        logger.info("watching %s", ", ".join(map(str, self._options.folders)))
        for ready in folders.rounds(stopping):
            open_jobs = self._settle()
            for path in ready[: max(0, MOST_AT_ONCE - open_jobs)]:
                if stopping.is_set():
                    return
                if self._take(path):
                    folders.forget(path)

    def _settle(self) -> int:
        """Deliver what has ended; return how many jobs have not."""
        waiting = self._files.in_progress()
        n_open = 0
        for sha256, job_id in waiting:
            manifest = self._store.load_if_readable(job_id)
            if manifest is None or manifest.state.is_final:
                if manifest is not None and manifest.state == JobState.COMPLETED:
                    self._deliver(manifest)
                self._files.note(sha256, "ended")
            else:
                n_open += 1
        return n_open

    def _take(self, path: Path) -> bool:
        """Make the job of a file; return False if it has changed meanwhile."""
        before = look_at(path)
        if before is None:
            return True
        require_free(self._store.data_dir, self._options.min_free_bytes)
        sha256, n_bytes = hash_file(path)
        if look_at(path) != before:
            return False
        job_id, state = self._files.claim(sha256)
        if state == "claimed":
            try:
                upload = self._copy(path, job_id, n_bytes)
                if upload.sha256 != sha256:
                    self._store.release_upload(upload.sha256, job_id)
                    return False
                self._submit(upload, job_id)
            except (InvalidAudio, UploadTooLarge) as error:
                logger.warning("%s does not become a job: %s", path, error)
                self._store.release_upload(sha256, job_id)
                self._files.note(sha256, "refused")
            else:
                self._files.note(sha256, "submitted")
                logger.info("%s became the job %s", path, job_id)
        self._files.keep(str(path), before, sha256)
        return True

    def _copy(self, path: Path, job_id: str, n_bytes: int) -> Upload:
        name = clean_name(path.name)
        with (
            self._store.open_upload(name, self._options.max_bytes) as writer,
            path.open("rb") as file,
        ):
            while chunk := file.read(CHUNK_BYTES):
                writer.write(chunk)
            return writer.commit(job_id)

    def _submit(self, upload: Upload, job_id: str) -> None:
        examine(self._scanner, self._prober, self._store.upload_path(upload.sha256), upload)
        self._jobs.submit([upload], self._options.options, job_id)

    def _deliver(self, manifest: ProcessingManifest) -> None:
        """Copy the results of a job to a folder named after its recording, whole or not at all."""
        if self._options.results is None:
            return
        source = manifest.tracks[0].source
        target = self._options.results / f"{Path(source.name).stem} {source.sha256[:8]}"
        if target.exists():
            return
        part = target.with_name(f".{target.name}.part")
        with storage_errors(target):
            shutil.rmtree(part, ignore_errors=True)
            for entry in pack_entries(self._store, manifest):
                copy = part / entry.name_in_zip
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(entry.path, copy)
            part.rename(target)
