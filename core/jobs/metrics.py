"""What a worker measures, in the form that Prometheus reads (``WORKER_METRICS_PORT``)."""

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Histogram,
    start_http_server,
)

from stemcrate.schemas.manifest import ProcessingStage

BUCKETS_S = (0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)


class WorkerMetrics:
    """Counts the stages that this worker ran. Safe for threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
            self.registry.register(collector)
        self._seconds = Histogram(
            "stemcrate_stage_seconds",
            "Run time of stages that ended, without those whose result was cached.",
            ["stage", "state"],
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._cache_hits = Counter(
            "stemcrate_stage_cache_hits",
            "Stages whose result was taken from the cache.",
            ["stage"],
            registry=self.registry,
        )
        self._failures = Counter(
            "stemcrate_stage_failures",
            "Stages that failed, by the code of the error.",
            ["stage", "code"],
            registry=self.registry,
        )
        self._deaths = Counter(
            "stemcrate_stage_process_deaths",
            "Processes that died, or were killed for their silence, while they ran a stage.",
            ["stage"],
            registry=self.registry,
        )

    def ended(self, stage: ProcessingStage) -> None:
        """Count a stage that ended, from its record in the manifest."""
        if stage.cache_hit:
            self._cache_hits.labels(stage.name).inc()
        elif stage.seconds is not None:
            self._seconds.labels(stage.name, stage.state).observe(stage.seconds)
        if stage.error is not None:
            self._failures.labels(stage.name, stage.error.code).inc()

    def process_died(self, stage_name: str) -> None:
        """Count the death of a process that ran a stage."""
        self._deaths.labels(stage_name).inc()

    def serve(self, host: str, port: int) -> None:
        """Answer Prometheus in a thread, on any path. Raises `OSError` if the port is taken."""
        start_http_server(port, addr=host, registry=self.registry)
