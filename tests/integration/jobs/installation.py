"""A whole installation in a folder: the service as the API has it, and workers as processes."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from bench.processes import is_running
from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.artifacts.uploads import Upload
from core.jobs.database import prepare_database
from core.jobs.progress import JobProgress, ProgressLog
from core.jobs.queue import JobQueue
from core.jobs.service import JobService
from core.library.library import Library
from core.pipeline.runtime import Runtime
from core.system.database import WORKERS_LOCK_CLASS, engine_for, is_sqlite
from core.system.storage import Storage
from stemcrate.schemas.manifest import ProcessingManifest
from stemcrate.schemas.options import ProcessingOptions
from tests.conditions import wait_until
from tests.integration.jobs.stages_for_tests import FACTORY, build_pipeline_for_tests
from tests.postgres import BOTH_DATABASES

ROOT = Path(__file__).parents[3]
on_both_databases = pytest.mark.parametrize("house", BOTH_DATABASES, indirect=True)


@dataclass
class Worker:
    """A worker process and what it started."""

    process: subprocess.Popen[bytes]
    log: Path
    family: list[psutil.Process] = field(default_factory=list)

    def children(self) -> list[psutil.Process]:
        """The processes below the worker, as they are now; kept for `leaves_no_orphan`."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        self.family.extend(found)
        return found

    def kill(self) -> None:
        self.children()
        self.process.kill()
        self.process.wait()

    def is_ready(self) -> bool:
        return "is ready" in self.log.read_text()

    def leaves_no_orphan(self) -> bool:
        return not any(map(is_running, self.family))


class Installation:
    """Store, database and service over one folder; starts workers."""

    def __init__(
        self, folder: Path, database_url: str | None = None, storage_url: str = ""
    ) -> None:
        self.data_dir = folder
        self.url = database_url or f"sqlite:///{folder / 'stemcrate.sqlite'}"
        prepare_database(self.url)
        self.store = JobStore(Storage(folder, self.url, storage_url))
        self.queue = JobQueue(self.url)
        self.log = ProgressLog(self.url)
        self.library = Library(self.store.storage, self.url)
        self.pipeline = build_pipeline_for_tests(self.store, Runtime())
        self.service = JobService(self.store, self.queue, self.log, self.pipeline, self.library)
        self.workers: list[Worker] = []
        self.consoles = folder

    def submit(self, *tracks: str) -> str:
        """Submit a job whose tracks behave as these words say; give its id."""
        job_id = new_job_id()
        uploads = [self._upload(f"{text} n={i}".encode(), job_id) for i, text in enumerate(tracks)]
        return self.service.submit(uploads, ProcessingOptions(), job_id).job_id

    def submit_song(self, data: bytes) -> str:
        """Submit a job of one WAV file; give its id."""
        job_id = new_job_id()
        upload = self._upload(data, job_id, name="Band - Song.wav")
        return self.service.submit([upload], ProcessingOptions(), job_id).job_id

    def _upload(self, data: bytes, job_id: str, *, name: str = "song.txt") -> Upload:
        with self.store.open_upload(name, 10_000_000) as writer:
            writer.write(data)
            return writer.commit(job_id)

    def manifest(self, job_id: str) -> ProcessingManifest:
        return self.store.load(job_id)

    def state(self, job_id: str) -> str:
        return str(self.manifest(job_id).state)

    def stage_state(self, job_id: str, name: str, index: int | None = 0) -> str:
        return str(self.manifest(job_id).stage(name, index).state)

    def job_states(self, job_id: str) -> list[str]:
        """Give the states that the log tells of the job, oldest first."""
        events = self.log.since(job_id)
        return [str(event.payload["state"]) for event in events if event.kind == "state"]

    def attempts(self, job_id: str) -> dict[str, int]:
        return {stage.name: stage.attempts for stage in self.manifest(job_id).all_stages()}

    def progress(self, job_id: str) -> JobProgress:
        return self.service.progress(self.manifest(job_id))

    def wait_for_end(self, job_id: str) -> str:
        self.wait_until(lambda: self.manifest(job_id).state.is_final)
        return self.state(job_id)

    def wait_for_work(self, job_id: str, index: int | None = None) -> None:
        """Wait until the main stage of a track is in the middle of its work: of this one, or any.

        Tracks of a job run side by side, and the first need not be the first here.
        """
        n_tracks = len(self.manifest(job_id).tracks)
        asked = range(n_tracks) if index is None else [index]
        self.wait_until(lambda: any(self._is_at_work(job_id, track) for track in asked))

    def wait_for_attempt(self, job_id: str, number: int, index: int = 0) -> None:
        """Wait until this attempt at the main stage of a track is in the middle of its work."""

        def is_there() -> bool:
            record = self.manifest(job_id).stage("work", index)
            return record.attempts == number and self._is_at_work(job_id, index)

        self.wait_until(is_there)

    def _is_at_work(self, job_id: str, index: int) -> bool:
        number = self.manifest(job_id).stage("work", index).attempts
        folder = self.store.work_folder(job_id) / str(index) / f"work.{number}" / "kept" / "half"
        is_half_done = any(folder.glob("*.txt"))
        return is_half_done and self.stage_state(job_id, "work", index) == "running"

    def wait_until(self, condition: Callable[[], object]) -> None:
        wait_until(condition, seen=self._seen)

    def _seen(self) -> str:
        jobs = [f"{job_id}: {self.attempts(job_id)}" for job_id in self.store.job_ids()]
        consoles = [worker.log.read_text(errors="replace")[-2000:] for worker in self.workers]
        return "\n".join(["Attempts of the stages:", *jobs, "What the workers said:", *consoles])

    def worker_code(self, *, data_dir: Path | None = None, **options: object) -> str:
        """Write the program of a worker; more options as `WorkerOptions` has them.

        ``data_dir``: of a host of its own. ``links_to``: addresses that links may lead to although
        they are not public. ``watch_here``: folders to watch; ``results``: where the results of
        their files go. ``enrichers``: names of those that are switched on.
        """
        place = self.store.storage
        settings = {"reaper_interval_s": 0.5, "cancel_grace_s": 1.0, **options}
        links = settings.pop("links_to", [])
        enrichers = settings.pop("enrichers", ())
        folders, results = settings.pop("watch_here", None), settings.pop("results", None)
        folder = "None" if results is None else f"Path({results!r})"
        watch = f"WatchOptions(tuple(map(Path, {folders!r})), ProcessingOptions(), {folder}, 0.3)"
        return (
            "from pathlib import Path\n"
            "from core.enrichment.settings import EnricherSettings\n"
            "from core.jobs.worker import WorkerOptions, run_worker\n"
            "from core.jobs.watcher import WatchOptions\n"
            "from stemcrate.schemas.options import ProcessingOptions\n"
            "from core.net.addresses import AddressGuard\n"
            "from core.sources.source import SourceSettings\n"
            "from core.pipeline.runtime import Runtime\n"
            "from core.system.storage import Storage\n"
            "if __name__ == '__main__':\n"
            f"    run_worker(WorkerOptions(Storage(Path({str(data_dir or self.data_dir)!r}), "
            f"{self.url!r}, {place.url!r}), {self.url!r}, "
            "Runtime(device='cpu'), "
            f"pipeline_factory={FACTORY!r}, "
            f"watch={watch if folders else None}, "
            f"sources=SourceSettings(AddressGuard({links!r})), "
            f"enrichers=EnricherSettings(names={enrichers!r}), **{settings!r}))\n"
        )

    def start_worker(self, *, data_dir: Path | None = None, **options: object) -> Worker:
        """Start a worker process, on a host of its own if it has another data folder."""
        code = self.worker_code(data_dir=data_dir, **options)
        log = self.consoles / f"console-{len(self.workers)}.txt"
        with log.open("wb") as console:
            process = subprocess.Popen(
                [sys.executable, "-c", code],
                cwd=ROOT,
                stdout=console,
                stderr=subprocess.STDOUT,
            )
        worker = Worker(process, log)
        self.workers.append(worker)
        return worker

    def set_workflow(self, workflow_id: str, **values: object) -> None:
        """Make the engine believe something of a workflow that would take long to bring about."""
        schema = "" if is_sqlite(self.url) else "dbos."
        columns = ", ".join(f"{name} = :{name}" for name in values)
        with engine_for(self.url).begin() as connection:
            connection.execute(
                sa.text(f"update {schema}workflow_status set {columns} where workflow_uuid = :id"),
                {"id": workflow_id, **values},
            )

    @contextmanager
    def locks_taken_away(self) -> Iterator[None]:
        """Make every living worker lose its lock to somebody else."""
        if is_sqlite(self.url):
            for lock in (self.data_dir / "locks" / "workers").iterdir():
                lock.unlink()
            yield
            return
        held = sa.text("select pid, objid from pg_locks where classid = :c and objsubid = 2")
        with engine_for(self.url).connect() as connection:
            for pid, key in connection.execute(held, {"c": WORKERS_LOCK_CLASS}).all():
                connection.execute(sa.select(sa.func.pg_terminate_backend(pid)))
                signed = key - (1 << 32) if key >> 31 else key
                connection.execute(sa.select(sa.func.pg_advisory_lock(WORKERS_LOCK_CLASS, signed)))
            yield

    def close(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()
        self.queue.close()


@contextmanager
def installation_in(folder: Path, database_url: str | None = None) -> Iterator[Installation]:
    installation = Installation(folder, database_url)
    try:
        yield installation
    finally:
        installation.close()
