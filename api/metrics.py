"""What the API measures of its requests, the queues, the workers and the disk, for Prometheus."""

import logging
import time
from collections.abc import Iterable, Iterator

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.deps import Services
from core.errors import DatabaseUnavailable
from core.jobs.liveness import live_workers
from core.jobs.stalled import stalled_jobs
from core.system.disk import disk_space

logger = logging.getLogger(__name__)

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
NO_ROUTE = "none"
"""Stands for addresses that lead nowhere: each of them would be a series of its own."""


class RequestMetrics:
    """Counts requests by method, route and status, with the time until a response begins."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "stemcrate_http_requests",
            "Requests to the API.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "stemcrate_http_response_seconds",
            "Time from a request's head to the head of its response.",
            ["method", "route"],
            buckets=BUCKETS_S,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", NO_ROUTE)
                self._requests.labels(scope["method"], route, str(message["status"])).inc()
                self._seconds.labels(scope["method"], route).observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, send_and_count)


def new_registry() -> CollectorRegistry:
    """Return a registry with what any process tells of itself."""
    registry = CollectorRegistry()
    for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
        registry.register(collector)
    return registry


def written(registry: CollectorRegistry, services: Services) -> bytes:
    """Return all figures in Prometheus' text format."""
    installation = CollectorRegistry()
    installation.register(_Installation(services))
    return generate_latest(registry) + generate_latest(installation)


class _Installation(Collector):
    """Reads queues, workers and disk when Prometheus asks: every API process gives the same."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterable[Metric]:
        return ()  # else the registry would collect once more to find the names

    def collect(self) -> Iterator[Metric]:
        total_bytes, free_bytes = disk_space(self._services.store.data_dir)
        yield _gauge("stemcrate_disk_bytes", "Size of the disk of DATA_DIR.", total_bytes)
        yield _gauge("stemcrate_disk_free_bytes", "What can still be written to it.", free_bytes)
        yield _gauge(
            "stemcrate_disk_min_free_bytes",
            "Free space below which new files are refused (MIN_FREE_BYTES).",
            self._services.settings.min_free_bytes,
        )
        try:
            of_database = [*self._of_database()]
        except DatabaseUnavailable as error:
            logger.warning("metrics without queues and workers: %s", error)
            of_database = []
        yield _gauge("stemcrate_database_up", "1 if the database answers.", bool(of_database))
        yield from of_database

    def _of_database(self) -> Iterator[Metric]:
        """Raises `DatabaseUnavailable`."""
        url = self._services.settings.resolved_database_url()
        yield _gauge("stemcrate_workers", "Workers that are alive.", live_workers(url))
        stalled = stalled_jobs(self._services.queue, url)
        yield _gauge(
            "stemcrate_stalled_jobs", "Jobs whose worker ended, without another.", len(stalled)
        )
        depth = GaugeMetricFamily(
            "stemcrate_queue_tasks",
            "Tasks in the queues of the workers.",
            labels=["queue", "state"],
        )
        age = GaugeMetricFamily(
            "stemcrate_queue_oldest_seconds",
            "Time that the oldest task of a queue has waited; 0 if none waits.",
            labels=["queue"],
        )
        owners_depth = GaugeMetricFamily(
            "stemcrate_owner_queue_tasks",
            "Tasks of each owner that has any in a queue.",
            labels=["queue", "owner", "state"],
        )
        owners_age = GaugeMetricFamily(
            "stemcrate_owner_queue_oldest_seconds",
            "Time that the oldest task of an owner has waited in a queue.",
            labels=["queue", "owner"],
        )
        for load in self._services.queue.loads():
            tasks, oldest = (depth, age) if load.owner is None else (owners_depth, owners_age)
            labels = [load.queue] if load.owner is None else [load.queue, load.owner]
            tasks.add_metric([*labels, "waiting"], load.n_waiting)
            tasks.add_metric([*labels, "running"], load.n_running)
            oldest.add_metric(labels, load.oldest_s)
        yield from (depth, age, owners_depth, owners_age)


def _gauge(name: str, description: str, value: float) -> Metric:
    return GaugeMetricFamily(name, description, value=value)
