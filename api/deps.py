"""Dependencies of routes: the installation's services, created once when the app starts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import anyio
from fastapi import Depends, Request

from config import Settings
from core.artifacts.store import JobStore
from core.audio.reading.prober import Prober
from core.errors import DatabaseUnavailable
from core.jobs.database import prepare_database, wait_for_database
from core.jobs.progress import ProgressLog
from core.jobs.queue import JobQueue
from core.jobs.reports import WorkerReports
from core.jobs.service import JobService
from core.library.library import Library
from core.pipeline.order import build_pipeline
from core.separation.inventory import Inventory, take_inventory
from core.sets.planning import SetPlanner
from core.system.disk import create_data_dir


@dataclass(frozen=True, slots=True)
class Services:
    """The services that routes use."""

    settings: Settings
    store: JobStore
    queue: JobQueue
    progress: ProgressLog
    jobs: JobService
    reports: WorkerReports
    library: Library
    sets: SetPlanner
    prober: Prober
    probing: anyio.CapacityLimiter
    """Places at the prober: who waits for one holds no thread that routes need."""
    packing: threading.BoundedSemaphore
    """Places for DJ packs that are made at the same time."""
    stopping: threading.Event
    """Set when the server was told to stop."""

    def inventory(self) -> Inventory:
        """Return the workers' models; before their first report, this machine's."""
        return self.reports.inventory() or take_inventory(self.settings.model_dir)


@contextmanager
def open_services(settings: Settings) -> Iterator[Services]:
    """Create the services from the settings; close their connections at the end."""
    create_data_dir(settings.data_dir)
    url = settings.resolved_database_url()
    stopping = threading.Event()
    _prepare(url, stopping)
    store = JobStore(settings.data_dir)
    queue = JobQueue(url)
    progress = ProgressLog(url)
    pipeline = build_pipeline(store, settings.runtime())
    library = Library(settings.data_dir, url)
    prober = Prober(
        settings.probe_processes,
        settings.probe_limits(),
        max_duration_s=settings.max_duration_s,
    )
    try:
        yield Services(
            settings=settings,
            store=store,
            queue=queue,
            progress=progress,
            jobs=JobService(store, queue, progress, pipeline, library),
            reports=WorkerReports(url),
            library=library,
            sets=SetPlanner(library),
            prober=prober,
            probing=anyio.CapacityLimiter(settings.probe_processes),
            packing=threading.BoundedSemaphore(settings.pack_processes),
            stopping=stopping,
        )
    finally:
        stopping.set()
        prober.close()
        queue.close()


def _prepare(url: str, stopping: threading.Event) -> None:
    """Prepare the database; until it answers, requests get 503."""
    try:
        prepare_database(url)
    except DatabaseUnavailable:
        waiting = threading.Thread(target=wait_for_database, args=(url, stopping), daemon=True)
        waiting.start()


async def get_services(request: Request) -> Services:
    """Return the services of the request's app."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


async def get_store(services: ServicesDep) -> JobStore:
    """Return the store."""
    return services.store


async def get_jobs(services: ServicesDep) -> JobService:
    """Return the service that runs jobs."""
    return services.jobs


async def get_library(services: ServicesDep) -> Library:
    """Return the library."""
    return services.library


async def get_sets(services: ServicesDep) -> SetPlanner:
    """Return the planner of sets."""
    return services.sets


StoreDep = Annotated[JobStore, Depends(get_store)]
JobsDep = Annotated[JobService, Depends(get_jobs)]
LibraryDep = Annotated[Library, Depends(get_library)]
SetsDep = Annotated[SetPlanner, Depends(get_sets)]
