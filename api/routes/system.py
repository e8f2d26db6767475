"""What this installation is, and how it is."""

from typing import get_args

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from api.deps import InstallationDep, ServicesDep
from api.metrics import written
from api.problems import RETRY_AFTER_S, problem_responses
from api.system_report import report_system
from api.version import VERSION
from api.views import fetch_view
from api.worker_views import worker_view
from core.errors import DatabaseUnavailable, StemcrateError
from core.export.format import PACK
from core.export.registry import EXPORTERS
from core.jobs.liveness import live_workers
from core.jobs.stalled import stalled_jobs
from core.pipeline.composites import RECIPES
from core.pipeline.order import optional_stages
from core.separation.inventory import Inventory
from core.system.disk import free_bytes
from stemcrate.schemas.configuration import (
    Configuration,
    ExportInfo,
    Health,
    HealthStatus,
    ModelChoice,
    RecipeInfo,
    RequestLimits,
)
from stemcrate.schemas.options import BitDepth, DeliveryFormat, RecordedOptions
from stemcrate.schemas.system import SystemReport

router = APIRouter(tags=["system"])


@router.get(
    "/health",
    operation_id="get_health",
    responses={status.HTTP_503_SERVICE_UNAVAILABLE: {"model": Health}},
)
def get_health(services: InstallationDep, response: Response) -> Health:
    """Return whether the database answers, a worker is alive and the disk has room.

    503 when the database does not answer. Without a worker jobs are accepted and wait. A full disk
    is reported with 200: what is there can still be read.
    """
    settings = services.settings
    url = settings.resolved_database_url()
    has_database = services.queue.is_healthy()
    n_free = free_bytes(services.store.data_dir)
    n_workers = live_workers(url) if has_database else 0
    if not has_database:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
        response.headers["Retry-After"] = RETRY_AFTER_S
    return Health(
        status=_status(has_database, n_free >= settings.min_free_bytes, n_workers > 0),
        version=VERSION,
        database=has_database,
        workers=n_workers,
        free_bytes=n_free,
        stalled_jobs=len(stalled_jobs(services.queue, url)) if has_database else 0,
    )


def _status(has_database: bool, has_room: bool, has_workers: bool) -> HealthStatus:
    """Return the most serious trouble."""
    if not has_database:
        return "no_database"
    if not has_room:
        return "disk_full"
    return "ok" if has_workers else "no_workers"


@router.get("/livez", operation_id="check_alive", status_code=status.HTTP_204_NO_CONTENT)
def check_alive() -> None:
    """Return 204: this process answers. One that does not should be started again."""


@router.get(
    "/readyz",
    operation_id="check_ready",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problem_responses(DatabaseUnavailable),
)
def check_ready(services: InstallationDep) -> None:
    """Return 204 if this process can take requests, 503 while its database does not answer."""
    if not services.queue.is_healthy():
        raise DatabaseUnavailable(
            "The database does not answer.", hint="Requests are taken again when it does."
        )


@router.get(
    "/metrics",
    operation_id="get_metrics",
    response_class=PlainTextResponse,
    responses={200: {"content": {CONTENT_TYPE_PLAIN_0_0_4: {"schema": {"type": "string"}}}}},
)
def get_metrics(request: Request, services: ServicesDep) -> Response:
    """Return figures of requests, queues, workers and disk in Prometheus' text format.

    Those of the stages come from the workers themselves (`WORKER_METRICS_PORT`).
    """
    content = written(request.app.state.registry, services)
    return Response(content, media_type=CONTENT_TYPE_PLAIN_0_0_4)


@router.get("/config", operation_id="get_config")
def get_config(services: ServicesDep) -> Configuration:
    """Return what this installation offers: models, options, limits."""
    settings = services.settings
    inventory = services.inventory()
    speeds = services.speeds.realtime_factors()
    fetches = {record.model: fetch_view(record) for record in services.fetches.all()}
    return Configuration(
        version=VERSION,
        models=[
            model.model_copy(
                update={
                    "realtime_factors": speeds.get(model.name, {}),
                    "fetch": None if model.available else fetches.get(model.name),
                }
            )
            for model in inventory.models
        ],
        model=_model_choice(settings.separator_model, inventory),
        device=settings.device,
        workers=[worker_view(report) for report in services.reports.live()],
        stages=list(optional_stages()),
        recipes=[
            RecipeInfo(
                name=recipe.name,
                description=recipe.description,
                stems=None if recipe.stems is None else list(recipe.stems),
                without=list(recipe.without),
            )
            for recipe in RECIPES
        ],
        formats=list(get_args(DeliveryFormat)),
        bit_depths=list(get_args(BitDepth)),
        defaults=RecordedOptions.of(settings.default_options()),
        exports=[
            *(
                ExportInfo(name=name, label=form.label, needs_target=form.needs_target)
                for name, form in EXPORTERS.available().items()
            ),
            ExportInfo(name=PACK, label="DJ pack", needs_target=False),
        ],
        enrichers=list(settings.enrichers),
        limits=RequestLimits(
            max_upload_bytes=settings.max_upload_bytes,
            max_duration_s=settings.max_duration_s,
            max_files_per_job=settings.max_files_per_job,
        ),
        fetches_links=settings.ingest_links,
    )


@router.get("/system", operation_id="get_system")
def get_system(services: ServicesDep) -> SystemReport:
    """Return workers, queue, disk, settings, versions and recent failures, for who runs this."""
    return report_system(services)


def _model_choice(configured: str, inventory: Inventory) -> ModelChoice:
    try:
        resolved, reason = inventory.resolve_auto(configured)
    except StemcrateError as error:
        return ModelChoice(configured=configured, resolved=None, reason=str(error))
    return ModelChoice(configured=configured, resolved=resolved, reason=reason)
