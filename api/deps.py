"""Dependencies of routes: the installation's services, created once when the app starts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated

import anyio
from fastapi import Depends, Header, Request

from api.access import Caller, find_caller
from api.deck_views import DeckViews
from api.event_watch import EventWatch
from api.places import EventStreams
from config import Settings
from core.access.limits import UNLIMITED
from core.access.ring import KeyRing
from core.access.store import KeyStore
from core.artifacts.fetches import FetchStore
from core.artifacts.footprint import Footprint
from core.artifacts.incoming import open_incoming
from core.artifacts.resumable import ResumableUploads
from core.artifacts.scanning import Scanner
from core.artifacts.store import JobStore
from core.artifacts.usage import DiskUsage
from core.audio.reading.prober import Prober
from core.errors import DatabaseUnavailable
from core.jobs.batches import BatchService
from core.jobs.database import prepare_database, wait_for_database
from core.jobs.enrichments import EnrichmentService
from core.jobs.imports import ImportService
from core.jobs.ingests import IngestService
from core.jobs.progress import ProgressLog
from core.jobs.queue import JobQueue
from core.jobs.quotas import OwnerQuotas
from core.jobs.renders import RenderService
from core.jobs.reports import WorkerReports
from core.jobs.service import JobService
from core.jobs.speeds import Speeds
from core.jobs.transfers import TransferService
from core.jobs.webhooks import WebhookService
from core.library.libraries import Libraries
from core.library.library import Library
from core.listening.listener import Listener
from core.pipeline.order import build_pipeline
from core.separation.inventory import Inventory, take_inventory
from core.sets.planning import SetPlanner
from core.system.disk import create_data_dir
from stemcrate.schemas.owners import LOCAL

_LISTENING_THREADS = 32  # two players of a dozen lanes, and some


@dataclass(frozen=True, slots=True)
class Services:
    """The services that routes use.

    Those of `open_services` have the jobs of every owner; `of` gives an owner's, which routes get.
    """

    settings: Settings
    keys: KeyRing
    store: JobStore
    incoming: ResumableUploads
    queue: JobQueue
    progress: ProgressLog
    jobs: JobService
    batches: BatchService
    webhooks: WebhookService
    renders: RenderService
    imports: ImportService
    ingests: IngestService
    enrichments: EnrichmentService
    transfers: TransferService
    fetches: FetchStore
    reports: WorkerReports
    speeds: Speeds
    usage: DiskUsage
    libraries: Libraries
    library: Library
    sets: SetPlanner
    scanner: Scanner
    prober: Prober
    probing: anyio.CapacityLimiter
    """Places at the prober: who waits for one holds no thread that routes need."""
    entering: anyio.CapacityLimiter
    """Places for jobs whose tracks are added to the library: each reads files in a process."""
    packing: threading.BoundedSemaphore
    """Places for DJ packs that are made at the same time."""
    listener: Listener
    listening: anyio.CapacityLimiter
    """Places at the listener, of which most wait for one of its processes."""
    decks: DeckViews
    streaming: EventStreams
    """Open event streams."""
    watch: EventWatch
    stopping: threading.Event
    """Set when the server was told to stop."""
    quotas: OwnerQuotas
    """What the owner may use."""

    _of_callers: dict[tuple[str, bool], "Services"] = field(default_factory=dict, repr=False)

    def of(self, caller: Caller) -> "Services":
        """Return the same services over what belongs to a caller: all else does not exist."""
        is_limited = self.settings.limit_local_user or not caller.is_local_user
        key = (caller.owner, is_limited)
        if key not in self._of_callers:
            self._of_callers[key] = self._make_for(*key)
        return self._of_callers[key]

    def _make_for(self, owner: str, is_limited: bool) -> "Services":
        storage = self.settings.storage()
        store = self.store.owned_by(owner)
        incoming = open_incoming(storage, owner)
        library = self.libraries.of(owner)
        pipeline = build_pipeline(store, self.settings.runtime())
        quotas = OwnerQuotas(
            owner,
            self.settings.resolved_database_url(),
            self.queue,
            Footprint(store, incoming),
            self.settings.owner_limits() if is_limited else UNLIMITED,
        )
        return replace(
            self,
            store=store,
            incoming=incoming,
            quotas=quotas,
            jobs=JobService(store, self.queue, self.progress, pipeline, library, quotas),
            batches=BatchService(
                self.settings.resolved_database_url(),
                store,
                incoming,
                library,
                self.queue,
                quotas,
                is_limited=is_limited,
            ),
            webhooks=WebhookService(
                self.settings.resolved_database_url(), owner, self.settings.outgoing_guard()
            ),
            renders=RenderService(store, self.queue, self.progress, library),
            imports=ImportService(storage, self.queue, self.settings.library_folders, owner),
            transfers=TransferService(store, self.queue, self.settings.transfer_targets),
            ingests=IngestService(
                storage,
                self.queue,
                owner,
                quotas,
                is_limited=is_limited,
                max_files_per_job=self.settings.max_files_per_job,
            ),
            enrichments=EnrichmentService(
                storage, self.queue, library, owner, self.settings.enrichers
            ),
            library=library,
            sets=SetPlanner(library),
            listener=self.listener.over(store, library),
        )

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
    storage = settings.storage()
    store = JobStore(storage)
    incoming = open_incoming(storage)
    queue = JobQueue(url)
    progress = ProgressLog(url)
    pipeline = build_pipeline(store, settings.runtime())
    libraries = Libraries(storage, url)
    library = libraries.of(LOCAL)
    prober = Prober(
        settings.probe_processes,
        settings.probe_limits(),
        max_duration_s=settings.max_duration_s,
    )
    listener = Listener(
        store,
        library,
        settings.listen_processes,
        settings.listen_limits(),
        settings.listen_cache_max_bytes,
    )
    quotas = OwnerQuotas(LOCAL, url, queue, Footprint(store, incoming))
    decks = DeckViews(settings.watch_decks())
    try:
        yield Services(
            settings=settings,
            keys=KeyRing(KeyStore(url)),
            store=store,
            incoming=incoming,
            queue=queue,
            progress=progress,
            jobs=JobService(store, queue, progress, pipeline, library),
            batches=BatchService(url, store, incoming, library, queue, quotas, is_limited=False),
            webhooks=WebhookService(url, LOCAL, settings.outgoing_guard()),
            renders=RenderService(store, queue, progress, library),
            imports=ImportService(storage, queue, settings.library_folders, LOCAL),
            transfers=TransferService(store, queue, settings.transfer_targets),
            ingests=IngestService(
                storage,
                queue,
                LOCAL,
                quotas,
                is_limited=False,
                max_files_per_job=settings.max_files_per_job,
            ),
            enrichments=EnrichmentService(storage, queue, library, LOCAL, settings.enrichers),
            fetches=FetchStore(storage),
            reports=WorkerReports(url),
            speeds=Speeds(store),
            usage=DiskUsage(settings.data_dir),
            libraries=libraries,
            library=library,
            sets=SetPlanner(library),
            scanner=Scanner(settings.scan_command, timeout_s=settings.scan_timeout_s),
            prober=prober,
            probing=anyio.CapacityLimiter(settings.probe_processes),
            entering=anyio.CapacityLimiter(settings.probe_processes),
            packing=threading.BoundedSemaphore(settings.pack_processes),
            listener=listener,
            listening=anyio.CapacityLimiter(_LISTENING_THREADS),
            decks=decks,
            streaming=EventStreams(settings.n_connections() // 4),
            watch=EventWatch(progress),
            stopping=stopping,
            quotas=quotas,
        )
    finally:
        stopping.set()
        prober.close()
        listener.close()
        decks.close()
        queue.close()


def _prepare(url: str, stopping: threading.Event) -> None:
    """Prepare the database; until it answers, requests get 503."""
    try:
        prepare_database(url)
    except DatabaseUnavailable:
        waiting = threading.Thread(target=wait_for_database, args=(url, stopping), daemon=True)
        waiting.start()


async def get_installation(request: Request) -> Services:
    """Return the services of the app, over what belongs to anybody."""
    services: Services = request.app.state.services
    return services


InstallationDep = Annotated[Services, Depends(get_installation)]
"""For what tells nothing of anybody alone."""


async def get_services(request: Request, installation: InstallationDep) -> Services:
    """Return the services over what belongs to the caller. Raises `KeyRequired`."""
    return installation.of(find_caller(request))


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
IfMatch = Annotated[
    str | None,
    Header(description="The `ETag` that the change was made for; another gives 412."),
]
