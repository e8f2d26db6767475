"""The worker: takes jobs from the queue and runs their stages in child processes.

A worker that is stopped or killed loses nothing: its lock is released, and the next worker
continues from the manifest and the engine's checkpoints. One that is stopped gives its work back,
so that nothing counts against the stages that it ran.
"""

import logging
import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from dbos import DBOS, DBOSConfig  # noqa: TID251

from core.access.limits import UNLIMITED, OwnerLimits
from core.artifacts.scanning import Scanner
from core.artifacts.tasks import TaskStore
from core.audio.reading.prober import Prober
from core.enrichment.records import EnrichmentRunStore
from core.enrichment.settings import EnricherSettings
from core.jobs.batch_runner import BatchRunner, BatchSweep, register_batch_workflow
from core.jobs.child import CANCEL_GRACE_S, StageProcess
from core.jobs.database import wait_for_database
from core.jobs.enrichment_runner import EnrichmentRunner
from core.jobs.fetcher import LOOK_EVERY_S, WeightsFetcher
from core.jobs.import_runner import ImportRunner
from core.jobs.ingest_runner import IngestRunner
from core.jobs.library_sync import LibrarySync
from core.jobs.liveness import Liveness, new_executor_id, open_liveness
from core.jobs.metrics import WorkerMetrics
from core.jobs.progress import ProgressLog
from core.jobs.queue import APPLICATION, PIPELINE_VERSION, JobQueue, TaskKind, WorkerKind, queues_of
from core.jobs.reaper import Reaper
from core.jobs.recovery import Recovery
from core.jobs.render_runner import RenderRunner, register_render_workflow
from core.jobs.render_sweep import RenderSweep
from core.jobs.reporter import Reporter
from core.jobs.reports import WorkerReports
from core.jobs.runner import StageRunner
from core.jobs.service import JobService
from core.jobs.stage_child import PIPELINE_FACTORY, ChildSpec, load_pipeline
from core.jobs.task_runner import TaskSweep, register_task_workflow
from core.jobs.transfers import TransferRunner
from core.jobs.watcher import Watcher, WatchOptions
from core.jobs.webhook_runner import (
    PAUSES_S,
    WebhookSender,
    WebhookSweep,
    register_webhook_workflow,
)
from core.jobs.workflows import register_workflows
from core.library.libraries import Libraries
from core.library.records.imports import ImportStore
from core.net.addresses import AddressGuard
from core.pipeline.attempts import DeathLimits
from core.pipeline.pipeline import AudioPipeline
from core.pipeline.runtime import Runtime
from core.sources.records import IngestStore
from core.sources.source import SourceSettings
from core.system.isolation import ProcessLimits
from core.system.logs import LogFormat, configure_logging, quieten_engine
from core.system.storage import Storage
from core.transfer.records import TransferStore
from stemcrate.schemas.owners import LOCAL

logger = logging.getLogger(__name__)

FENCED_EXIT_CODE = 75
PROBE_LIMITS = ProcessLimits(silence_s=30.0, memory_bytes=4_000_000_000)
_Runners = tuple[
    StageRunner,
    RenderRunner,
    ImportRunner,
    IngestRunner,
    EnrichmentRunner,
    TransferRunner,
    BatchRunner,
    WeightsFetcher,
]


TASK_STORES: dict[TaskKind, type[TaskStore[Any]]] = {
    "import": ImportStore,
    "ingest": IngestStore,
    "enrichment": EnrichmentRunStore,
    "transfer": TransferStore,
}


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """Options of a worker, described in `config.Settings`."""

    storage: Storage
    database_url: str
    runtime: Runtime
    kinds: tuple[WorkerKind, ...] = ("gpu", "cpu")
    cpu_slots: int = 1
    reaper_interval_s: float = 5.0
    stage_max_attempts: int = 3
    stage_silence_s: float = 0.0
    retention_days: float = 0.0
    render_days: float = 7.0
    render_max_bytes: int = 5_000_000_000
    sources: SourceSettings = SourceSettings(AddressGuard(), is_on=False)  # noqa: RUF009  frozen
    enrichers: EnricherSettings = EnricherSettings()  # noqa: RUF009  frozen
    max_files_per_job: int = 50
    watch: WatchOptions | None = None
    scan_command: str = ""
    scan_timeout_s: float = 120.0
    probe_limits: ProcessLimits = PROBE_LIMITS
    max_upload_bytes: int = 500_000_000
    owner_limits: OwnerLimits = UNLIMITED
    webhook_pauses_s: Sequence[float] = PAUSES_S
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0
    log_level: str = "INFO"
    log_format: LogFormat = "text"
    cancel_grace_s: float = CANCEL_GRACE_S
    pipeline_factory: str = PIPELINE_FACTORY


def run_worker(options: WorkerOptions) -> NoReturn:
    """Run a worker until SIGTERM or SIGINT; ends the process with exit code 0.

    The exit code is 75 if the worker lost its lock: another may have its work. A database that does
    not answer yet is awaited.
    """
    configure_logging(
        options.log_level, options.storage.data_dir, "worker", format=options.log_format
    )
    stopping = _stop_on_signals()
    metrics = WorkerMetrics()
    if options.metrics_port:
        metrics.serve(options.metrics_host, options.metrics_port)
    if not wait_for_database(options.database_url, stopping):
        _exit(0)
    liveness, executor_id = open_liveness(options.database_url), new_executor_id()
    liveness.hold(executor_id)
    pipeline = load_pipeline(options.pipeline_factory, options.storage, options.runtime)
    log = ProgressLog(options.database_url)
    processes = _stage_processes(options)
    if options.runtime.warm_up_model and "gpu" in options.kinds:
        processes["gpu"][0].start()
    limits = DeathLimits(process=options.stage_max_attempts)
    runner = StageRunner(pipeline, log, processes, limits=limits, metrics=metrics)
    DBOS(config=_engine_config(options.database_url, executor_id))
    quieten_engine()
    library_sync = LibrarySync(pipeline.store, options.database_url)
    register_workflows(pipeline, runner, log, ended=library_sync.wake)
    renders = RenderRunner(
        options.storage,
        options.database_url,
        log,
        silence_s=options.stage_silence_s,
        max_deaths=options.stage_max_attempts,
    )
    register_render_workflow(renders)
    imports = ImportRunner(
        options.storage,
        options.database_url,
        cache_max_bytes=options.runtime.cache_max_bytes,
        n_processes=options.cpu_slots,
    )
    register_task_workflow(imports)
    queue = JobQueue(options.database_url)
    batches = BatchRunner(
        options.database_url,
        pipeline,
        queue,
        log,
        scanner=_scanner(options),
        prober=_prober(options),
        limits=options.owner_limits,
        max_upload_bytes=options.max_upload_bytes,
    )
    register_batch_workflow(batches)
    ingests = _ingest_runner(options, pipeline, queue, log)
    register_task_workflow(ingests)
    transfers = TransferRunner(pipeline.store)
    register_task_workflow(transfers)
    register_webhook_workflow(
        WebhookSender(options.database_url, options.sources.guard, options.webhook_pauses_s)
    )
    enrichments = EnrichmentRunner(options.storage, options.database_url, options.enrichers)
    register_task_workflow(enrichments)
    served = queues_of(options.kinds)
    queue.register(cpu_slots=options.cpu_slots, served=served)
    DBOS.listen_queues(served)
    DBOS.launch()
    reporter = Reporter(WorkerReports(options.database_url), executor_id, options.runtime)
    fetcher = WeightsFetcher(
        options.storage,
        options.runtime.model_dir,
        fetched=reporter.look,
        max_deaths=options.stage_max_attempts,
    )
    runners = (runner, renders, imports, ingests, enrichments, transfers, batches, fetcher)
    recovery = Recovery()
    reaper = Reaper(
        pipeline,
        queue,
        log,
        executor_id=executor_id,
        liveness=liveness,
        fence=lambda: _fence(runners),
        retention_days=options.retention_days,
        recovery=recovery,
    )
    sweep = RenderSweep(
        pipeline.store,
        Libraries(options.storage, options.database_url),
        queue,
        days=options.render_days,
        max_bytes=options.render_max_bytes,
    )
    interval = options.reaper_interval_s
    for name, run, interval_s in (
        ("reaper", reaper.run, interval),
        ("library", library_sync.run, interval),
        ("renders", sweep.run, interval),
        *(
            (store.folder, TaskSweep(kind, store(options.storage), queue).run, interval)
            for kind, store in TASK_STORES.items()
        ),
        (
            "batches",
            BatchSweep(options.database_url, pipeline.store, queue).run,
            interval,
        ),
        (
            "webhooks",
            WebhookSweep(options.database_url, queue).run,
            interval,
        ),
        ("reporter", reporter.run, interval),
        ("weights", fetcher.run, LOOK_EVERY_S),
    ):
        arguments = (interval_s, stopping)
        threading.Thread(target=run, args=arguments, name=name, daemon=True).start()
    if options.watch is not None:
        watcher = _watcher(options, options.watch, pipeline, queue, log)
        threading.Thread(target=watcher.run, args=(stopping,), name="watch", daemon=True).start()
    logger.info("worker %s is ready", executor_id)
    stopping.wait()
    _stop(runners, liveness, recovery, executor_id)


def _scanner(options: WorkerOptions) -> Scanner:
    return Scanner(options.scan_command, timeout_s=options.scan_timeout_s)


def _prober(options: WorkerOptions) -> Prober:
    return Prober(1, options.probe_limits, max_duration_s=options.runtime.max_duration_s)


def _ingest_runner(
    options: WorkerOptions, pipeline: AudioPipeline, queue: JobQueue, log: ProgressLog
) -> IngestRunner:
    return IngestRunner(
        options.database_url,
        pipeline,
        queue,
        log,
        sources=options.sources,
        scanner=_scanner(options),
        prober=_prober(options),
        limits=options.owner_limits,
        cache_max_bytes=options.runtime.cache_max_bytes,
        n_processes=options.cpu_slots,
        max_files_per_job=options.max_files_per_job,
    )


def _watcher(
    options: WorkerOptions,
    watched: WatchOptions,
    pipeline: AudioPipeline,
    queue: JobQueue,
    log: ProgressLog,
) -> Watcher:
    store, url = pipeline.store.owned_by(LOCAL), options.database_url
    library = Libraries(options.storage, url).of(LOCAL)
    submitting = AudioPipeline(pipeline.stages, store, options.runtime)
    jobs = JobService(store, queue, log, submitting, library)
    return Watcher(watched, store, jobs, url, _scanner(options), _prober(options))


def _stop_on_signals() -> threading.Event:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def _stage_processes(options: WorkerOptions) -> dict[str, list[StageProcess]]:
    def process(name: str, *, warm_up: bool = False) -> StageProcess:
        spec = ChildSpec(
            storage=options.storage,
            runtime=options.runtime,
            name=name,
            log_level=options.log_level,
            log_format=options.log_format,
            pipeline_factory=options.pipeline_factory,
            warm_up=warm_up,
        )
        return StageProcess(
            spec, cancel_grace_s=options.cancel_grace_s, silence_s=options.stage_silence_s
        )

    return {
        "gpu": [process("stages-gpu", warm_up=bool(options.runtime.warm_up_model))],
        "cpu": [process(f"stages-cpu-{slot}") for slot in range(options.cpu_slots)],
    }


def _engine_config(database_url: str, executor_id: str) -> DBOSConfig:
    return {
        "name": APPLICATION,
        "system_database_url": database_url,
        "executor_id": executor_id,
        "application_version": PIPELINE_VERSION,
        "log_level": "WARNING",
        "run_migrations": False,
        "enable_otlp": False,
    }


def _stop(
    runners: _Runners,
    liveness: Liveness,
    recovery: Recovery,
    executor_id: str,
) -> NoReturn:
    logger.info("stopping; the next worker continues unfinished stages")
    for runner in runners:
        runner.stop()
    recovery.give_back(executor_id)
    liveness.release()
    _exit(0)


def _fence(runners: _Runners) -> NoReturn:
    logger.critical("this worker lost its lock and stops, because another may run its work")
    for runner in runners:
        runner.stop()
    _exit(FENCED_EXIT_CODE)


def _exit(code: int) -> NoReturn:
    # A normal exit would wait for the engine's threads, which wait for stages.
    logging.shutdown()
    os._exit(code)
