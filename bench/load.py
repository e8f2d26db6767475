"""An installation under load: throughput by workers, many clients, many jobs, and memory.

    python -m bench.load [--json] [--short] [sqlite postgresql] [PART …]

Starts API and workers as processes and asks them over HTTP. Parts, all by default:

- ``enqueue``: jobs a second that eight clients get accepted, and whether a page of ``GET /jobs``
  takes longer with all of them than with ten.
- ``clients``: the time of ``GET /health`` while 200 clients poll a job and 200 follow events, with
  those jobs in the queue and a worker at work; the same without clients.
- ``throughput``: jobs a minute of 1, 2 and 4 workers, that only decode (``empty``) and that
  separate with Spleeter; ``scaling`` is the rate over that of one worker times the workers. More
  than the cores of the machine cannot be reached.
- ``memory``: resident memory of API and worker after a tenth of many jobs and after all of them.
- ``storage``: what a minute of audio takes of a worker, the disk and the database, with Spleeter,
  every stage and FLAC. `bench.million` extrapolates from these figures.
"""

import asyncio
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

import httpx
import sqlalchemy as sa

from bench.databases import own_server
from bench.report import report
from bench.served import Served, served, wait_for
from bench.trial import write_recording
from core.system.database import engine_for, is_sqlite, sqlite_path
from stemcrate.client import Client
from stemcrate.schemas.jobs import JobQuery
from stemcrate.schemas.options import NO_MODEL

Figures = dict[str, float | str]
DATABASES = ("sqlite", "postgresql")
EMPTY = {"model": NO_MODEL, "stages": ""}
WHOLE = {"model": "spleeter", "format": "flac"}
SPLEETER = {"model": "spleeter", "stages": ""}
N_SUBMITTERS = 8
N_POLLERS = 200
N_FOLLOWERS = 200
POLL_EVERY_S = 1.0
CONNECTIONS = "2000"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is done: numbers of jobs for each part, and seconds with clients."""

    n_queued: int
    clients_s: float
    n_empty: int
    n_separated: int
    n_for_memory: int
    n_whole: int


LONG = Extent(
    n_queued=1000, clients_s=60.0, n_empty=60, n_separated=24, n_for_memory=500, n_whole=5
)
SHORT = Extent(n_queued=100, clients_s=10.0, n_empty=12, n_separated=6, n_for_memory=40, n_whole=2)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a part runs."""

    folder: Path
    database_url: str
    extent: Extent

    @contextmanager
    def serving(self, name: str, n_workers: int) -> Iterator[Served]:
        """Yield API and workers that run, over a new data folder and the queue's own database."""
        with served(
            self.folder / name, n_workers=n_workers, database_url=self.database_url
        ) as found:
            found.start()
            found.wait_until_ready()
            yield found
            found.stop()

    def song(self, name: str, seconds: int) -> Path:
        """Return a recording that no other job has."""
        path = self.folder / f"{name}.wav"
        write_recording(path, seconds, seed=crc32(name.encode()))
        return path


def enqueue(ground: Ground) -> Figures:
    """Submit jobs to an API without a worker, and list them."""
    n_jobs = ground.extent.n_queued
    with ground.serving("enqueue", n_workers=0) as installation:
        submit_all(ground, installation, 10)
        few_ms = page_ms(installation.client)
        began = time.monotonic()
        submit_all(ground, installation, n_jobs)
        rate = n_jobs / (time.monotonic() - began)
        many_ms = page_ms(installation.client)
    return {
        "enqueued_per_s": rate,
        "page_of_10_jobs_ms": few_ms,
        f"page_of_{n_jobs + 10}_jobs_ms": many_ms,
        "page_ratio": many_ms / few_ms,
    }


def page_ms(client: Client) -> float:
    """Return the median time of the first page of ten jobs."""

    def ask() -> float:
        began = time.perf_counter()
        assert len(client.list_jobs(JobQuery(limit=10)).jobs) == 10
        return 1000 * (time.perf_counter() - began)

    return statistics.median(ask() for _ in range(21))


def clients(ground: Ground) -> Figures:
    """Ask for the health of an API that many watch."""
    extent = ground.extent
    with ground.serving("clients", n_workers=1) as installation:
        alone = health_ms(installation.address, extent.clients_s / 3)
        job_ids = submit_all(ground, installation, extent.n_queued)
        context = multiprocessing.get_context("spawn")
        asked = context.Value("i", 0)
        watched = context.Process(
            target=watch,
            args=(installation.address, job_ids[-1], extent.clients_s + 15.0, asked),
            daemon=True,
        )
        watched.start()
        wait_for("the clients ask", lambda: asked.value >= N_POLLERS)
        began, n_before = time.monotonic(), asked.value
        times = health_ms(installation.address, extent.clients_s)
        rate = (asked.value - n_before) / (time.monotonic() - began)
        watched.kill()
        watched.join()
    return {
        "health_alone_p99_ms": quantile(alone, 0.99),
        "health_p50_ms": quantile(times, 0.5),
        "health_p99_ms": quantile(times, 0.99),
        "polls_per_s": rate,
        "n_asked": float(len(times)),
    }


def health_ms(url: str, seconds: float) -> list[float]:
    """Return the times of `GET /health`, asked ten times a second over one connection."""
    times = []
    with httpx.Client(base_url=url, timeout=60.0) as client:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.perf_counter()
            client.get("/health").raise_for_status()
            times.append(1000 * (time.perf_counter() - began))
            time.sleep(0.1)
    return times


def watch(url: str, job_id: str, seconds: float, asked: Any) -> None:
    """Poll and follow a job from many connections, in a process of its own."""

    async def poll(client: httpx.AsyncClient) -> None:
        while True:
            answer = await client.get(f"/job/{job_id}")
            answer.raise_for_status()
            asked.value += 1
            await asyncio.sleep(float(answer.headers.get("Retry-After", POLL_EVERY_S)))

    async def follow(client: httpx.AsyncClient) -> None:
        while True:
            async with client.stream("GET", f"/job/{job_id}/events") as events:
                async for _ in events.aiter_lines():
                    pass
            await asyncio.sleep(POLL_EVERY_S)

    async def all_clients() -> None:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=url, timeout=None, limits=limits) as client:
            tasks = [poll(client) for _ in range(N_POLLERS)]
            tasks += [follow(client) for _ in range(N_FOLLOWERS)]
            await asyncio.wait_for(asyncio.gather(*tasks), seconds)

    asyncio.run(all_clients())


def throughput(ground: Ground) -> Figures:
    """Compare the rates of one, two and four workers."""
    figures: Figures = {}
    for kind, options, n_jobs, seconds in (
        ("empty", EMPTY, ground.extent.n_empty, 1),
        ("spleeter", SPLEETER, ground.extent.n_separated, 10),
    ):
        rates: dict[int, float] = {}
        for n_workers in (1, 2, 4):
            name = f"{kind}-{n_workers}"
            with ground.serving(name, n_workers) as installation:
                # Different recordings: results of one would serve all others from the cache.
                songs = [ground.song(f"{name}-{n}", seconds) for n in range(n_jobs)]
                rates[n_workers] = rate_of(installation, songs, options)
            figures[f"{kind}_{n_workers}_workers_per_min"] = rates[n_workers]
            figures[f"{kind}_{n_workers}_workers_scaling"] = rates[n_workers] / (
                n_workers * rates[1]
            )
    figures["cores"] = float(os.cpu_count() or 1)
    return figures


def rate_of(installation: Served, songs: list[Path], options: dict[str, str]) -> float:
    """Return the jobs a minute from the first submission until the last one has ended."""
    began = time.monotonic()
    with ThreadPoolExecutor(N_SUBMITTERS) as pool:
        job_ids = list(pool.map(lambda song: submit(installation, song, options), songs))
    wait_for_all(installation, job_ids)
    return 60 * len(songs) / (time.monotonic() - began)


def memory(ground: Ground) -> Figures:
    """Look at the memory of API and worker while many jobs pass."""
    n_jobs = ground.extent.n_for_memory
    first = n_jobs // 10
    with ground.serving("memory", n_workers=1) as installation:
        wait_for_all(installation, submit_all(ground, installation, first), n_jobs * 10.0)
        before = installation_mb(installation)
        rest = submit_all(ground, installation, n_jobs - first)
        wait_for_all(installation, rest, n_jobs * 10.0)
        after = installation_mb(installation)
    return {
        f"api_mb_after_{first}": before["api"],
        f"api_mb_after_{n_jobs}": after["api"],
        f"worker_mb_after_{first}": before["worker"],
        f"worker_mb_after_{n_jobs}": after["worker"],
    }


def storage(ground: Ground) -> Figures:
    """Process minutes of audio, and look at what they cost and leave."""
    n_jobs = ground.extent.n_whole
    with ground.serving("storage", n_workers=1) as installation:
        songs = [ground.song(f"storage-{n}", 60) for n in range(n_jobs + 1)]
        rate_of(installation, songs[:1], WHOLE)  # the model is loaded, the tables are there
        before = database_bytes(installation)
        rate = rate_of(installation, songs[1:], WHOLE)
        after = database_bytes(installation)
        folders = {
            name: folder_bytes(installation.store.data_dir / name)
            for name in ("uploads", "outputs", "cache")
        }
    figures: Figures = {"wall_s_per_min": 60 / rate, "database_kb": (after - before) / n_jobs / 1e3}
    for name, n_bytes in folders.items():
        figures[f"{name}_mb_per_min"] = n_bytes / (n_jobs + 1) / 1e6
    return figures


def database_bytes(installation: Served) -> int:
    if is_sqlite(installation.url):
        return sqlite_path(installation.url).stat().st_size
    with engine_for(installation.url).connect() as connection:
        size = sa.text("select pg_database_size(current_database())")
        return int(connection.execute(size).scalar_one())


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def installation_mb(installation: Served) -> dict[str, float]:
    """Return the resident memory of each service with its children, in MB."""
    found = {}
    for service in installation.services():
        name = service.cmdline()[-1]
        family = [service, *service.children(recursive=True)]
        found[name] = sum(one.memory_info().rss for one in family) / 1e6
    return found


def submit(installation: Served, song: Path, options: dict[str, str]) -> str:
    with Client(installation.address, timeout_s=120.0) as client:
        return client.submit_job([song], options).job_id


def submit_all(ground: Ground, installation: Served, n_jobs: int) -> list[str]:
    """Submit so many empty jobs by several clients, each its own recording; return the ids."""

    def submit_some(client_number: int) -> list[str]:
        song = ground.song(f"client-{client_number}", 1)
        n_own = len(range(client_number, n_jobs, N_SUBMITTERS))
        with Client(installation.address, timeout_s=120.0) as client:
            return [client.submit_job([song], EMPTY).job_id for _ in range(n_own)]

    with ThreadPoolExecutor(N_SUBMITTERS) as pool:
        found = pool.map(submit_some, range(N_SUBMITTERS))
        return sorted(job_id for ids in found for job_id in ids)


def wait_for_all(installation: Served, job_ids: list[str], patience_s: float = 1800.0) -> None:
    """Wait until jobs have ended. Raises `Unmet` where one did not complete."""
    waiting = list(job_ids)

    def have_ended() -> bool:
        while waiting:
            state = installation.client.get_job(waiting[-1]).state
            if not state.is_final:
                return False
            assert state == "completed", f"{waiting[-1]} is {state}"
            waiting.pop()
        return True

    wait_for("all jobs have ended", have_ended, patience_s)


def quantile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


PARTS: dict[str, Callable[[Ground], Figures]] = {
    "enqueue": enqueue,
    "clients": clients,
    "throughput": throughput,
    "memory": memory,
    "storage": storage,
}


def main() -> None:
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    databases = [name for name in DATABASES if name in words] or DATABASES
    parts = [name for name in PARTS if name in words] or PARTS
    extent = SHORT if "--short" in sys.argv else LONG
    os.environ["MAX_CONNECTIONS"] = CONNECTIONS  # noqa: TID251  of the API that is started
    for database in databases:
        for name in parts:
            print(f"{database} {name} …", file=sys.stderr)
            figures = run(PARTS[name], database, extent)
            report(f"{name} on {database}", figures)


def run(part: Callable[[Ground], Figures], database: str, extent: Extent) -> Figures:
    """Run a part in a folder, and with a server, of its own."""
    with TemporaryDirectory(prefix="load") as folder:
        if database == "sqlite":
            return part(Ground(Path(folder), "", extent))
        with own_server() as server:
            return part(Ground(Path(folder), server.url, extent))


if __name__ == "__main__":
    main()
