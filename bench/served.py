"""An installation that serves: API and workers as processes, and all that may happen to them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import sqlalchemy as sa
from filelock import FileLock, Timeout

from bench.databases import is_being_written
from bench.processes import held_ports, is_running
from core.artifacts.store import JobStore
from core.jobs.queue import JobQueue
from core.system.database import engine_for, is_sqlite, sqlite_path
from stemcrate.client import ApiError, ApiUnreachable, Client, UnexpectedAnswer

ROOT = Path(__file__).parents[1]
PATIENCE_S = 300.0
POLL_S = 0.05
STAGE = "separation"


class Unmet(Exception):
    """What had to come did not come."""


def wait_for(what: str, condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Wait until something is true. Raises `Unmet` after ``patience_s`` seconds."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise Unmet(f"not within {patience_s:g} s: {what}")
        time.sleep(POLL_S)


class Served:
    """API and workers over one data folder, below the supervisor of `stemcrate serve`.

    Parameters
    ----------
    console : file that receives what all processes print.
    database_url : empty for SQLite in the data folder.
    min_free_bytes : as in `config.Settings`.
    """

    def __init__(
        self,
        data_dir: Path,
        console: Path,
        port: int,
        *,
        database_url: str = "",
        n_workers: int = 1,
        min_free_bytes: int = 0,
    ) -> None:
        self.store = JobStore(data_dir)
        self.url = database_url or f"sqlite:///{data_dir / 'stemcrate.sqlite'}"
        self.address = f"http://127.0.0.1:{port}"
        self.client = Client(self.address, timeout_s=PATIENCE_S)
        self.console = console
        self._n_workers = n_workers
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            **os.environ,  # noqa: TID251
            "DATA_DIR": str(data_dir),
            "DATABASE_URL": database_url,
            "API_HOST": "127.0.0.1",
            "API_PORT": str(port),
            "MIN_FREE_BYTES": str(min_free_bytes),
            "SEPARATOR_MODEL": "spleeter",
            "DEVICE": "cpu",
        }

    def start(self) -> None:
        """Start all processes."""
        program = [sys.executable, "-m", "cli.main"]
        commands = {"api": [*program, "api"]}
        commands |= {f"worker-{n}": [*program, "worker"] for n in range(self._n_workers)}
        code = f"from core.jobs.supervisor import run_all\nrun_all({commands!r})"
        with self.console.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                cwd=ROOT,
                env=self._environment,
                stdout=out,
                stderr=out,
            )

    def is_ready(self) -> bool:
        """Return whether the API answers and every worker lives."""
        try:
            health = self.client.get_health()
        except (ApiError, ApiUnreachable, UnexpectedAnswer):
            return False
        return health.database and health.workers == self._n_workers

    def wait_until_ready(self) -> None:
        wait_for("API and workers are ready", self.is_ready)

    def stop(self) -> None:
        """Stop all by SIGTERM. Raises `Unmet` if that is no clean end."""
        assert self._process is not None
        family = self._family()
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(PATIENCE_S)
        if code:
            raise Unmet(f"the supervisor ended with code {code}")
        wait_for("no process is left", lambda: not any(map(is_running, family)))

    def kill(self) -> None:
        """Kill all by SIGKILL, at once."""
        if self._process is None or self._process.poll() is not None:
            return
        family = self._family()
        for process in family:
            if is_running(process):
                process.kill()
        self._process.wait()
        wait_for("no process is left", lambda: not any(map(is_running, family)))

    def services(self) -> list[psutil.Process]:
        """Return the processes of API and workers, without those that they started."""
        assert self._process is not None
        return psutil.Process(self._process.pid).children()

    def _family(self) -> list[psutil.Process]:
        assert self._process is not None
        return _with_children(psutil.Process(self._process.pid))

    def kept(self, job_id: str, attempt: int, index: int = 0) -> int:
        """Return the chunks that this attempt at a separation has; 0 unless it runs."""
        record = self.store.load(job_id).stage(STAGE, index)
        if (record.state, record.attempts) != ("running", attempt):
            return 0
        folder = self.store.work_folder(job_id) / str(index) / f"{STAGE}.{attempt}" / "kept"
        return sum(1 for _ in folder.rglob("*.f32"))

    def executor_of(self, job_id: str, index: int = 0) -> str:
        """Return the id of the worker that separates a track. Raises `Unmet` if none does."""
        with closing(JobQueue(self.url)) as queue:
            for row in queue.pending():
                if row.workflow_id == f"{job_id}.{index}.{STAGE}" and row.executor_id:
                    return row.executor_id
        raise Unmet(f"no worker separates {job_id}")

    @contextmanager
    def paused(self, executor_id: str, job_id: str) -> Iterator[psutil.Process]:
        """Pause a worker with its stages while the block runs; yield its process.

        A process that was paused while it writes the database or a manifest, which takes
        milliseconds, would keep all others from it: such a moment is left out.
        """
        worker = psutil.Process(int(executor_id.rsplit("-", 2)[1]))
        family = _suspend(worker)
        try:
            while self._is_written(job_id):
                _resume(family)
                family = _suspend(worker)
            yield worker
        finally:
            _resume(family)

    def _is_written(self, job_id: str) -> bool:
        if is_sqlite(self.url) and is_being_written(sqlite_path(self.url)):
            return True
        try:
            with FileLock(self.store.data_dir / "locks" / f"{job_id}.lock", timeout=0):
                return False
        except Timeout:
            return True

    def lose_lock(self, executor_id: str, worker: psutil.Process) -> None:
        """Take a worker's lock from it.

        PostgreSQL ends all sessions of the worker, as it does when a machine no longer answers; on
        SQLite its lock file is removed, as by a program that tidies.
        """
        if is_sqlite(self.url):
            (self.store.data_dir / "locks" / "workers" / f"{executor_id}.lock").unlink()
            return
        ports = [connection.laddr.port for connection in worker.net_connections("tcp")]
        ended = sa.text(
            "select pg_terminate_backend(pid) from pg_stat_activity where client_port = any(:ports)"
        )
        with engine_for(self.url).connect() as connection:
            connection.execute(ended, {"ports": ports})


@contextmanager
def served(data_dir: Path, **options: object) -> Iterator[Served]:
    """Yield an installation that is not started yet; what runs at the end is killed."""
    with held_ports() as (port,):
        console = data_dir.with_name(f"{data_dir.name}.console.txt")
        installation = Served(data_dir, console, port, **options)  # type: ignore[arg-type]
        try:
            yield installation
        finally:
            installation.kill()
            installation.client.close()
            engine_for(installation.url).dispose()


def _with_children(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _suspend(worker: psutil.Process) -> list[psutil.Process]:
    family = _with_children(worker)
    for process in family:
        process.suspend()
    wait_for("it is paused", lambda: all(one.status() == psutil.STATUS_STOPPED for one in family))
    return family


def _resume(family: Sequence[psutil.Process]) -> None:
    for process in reversed(family):
        if is_running(process):
            process.resume()
