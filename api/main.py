"""Assembles the app: settings in, FastAPI out; `stemcrate api` serves it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.concurrency import run_in_threadpool

from api import documentation
from api.access import check_table, require_scope
from api.audit import Audit
from api.body_progress import BodyProgress
from api.callers import Callers
from api.change_log import ChangeLog
from api.deps import open_services
from api.head import HeadAsGet
from api.hosts import KnownHosts
from api.idempotency import REPLAYED, Idempotency
from api.metrics import RequestMetrics, new_registry
from api.middleware import REQUEST_ID, CommonHeaders, UnexpectedErrors
from api.openapi import add_schemas, any_problem
from api.origins import refuse_foreign_origins
from api.problem_handlers import install_problem_handlers
from api.rate_limits import LIMIT, POLICY
from api.request_quota import RequestQuota
from api.routes import (
    batches,
    collections,
    corrections,
    decks,
    downloads,
    enrichments,
    events,
    imports,
    ingests,
    jobs,
    library,
    player,
    playlists,
    process,
    renders,
    streams,
    system,
    transfers,
    uploads,
    webhooks,
    weights,
)
from api.shutdown import noticing_stop
from api.tus import Tus
from api.version import VERSION
from config import Settings, settings
from core.system.logs import configure_logging

DESCRIPTION = """
Stem separation as jobs. Submit files with `POST /process`, follow the job with
`GET /job/{id}/events` or `GET /job/{id}`, take the results from `GET /job/{id}/outputs`.
Every error is `application/problem+json` with a stable `code`.

An installation that demands keys wants one with every request but those of probes, as
`Authorization: Bearer KEY`; each operation says which scope the key needs.
"""
TAGS = [
    {"name": "system", "description": "What this installation is, and how it is."},
    {"name": "jobs", "description": "Submit, follow, cancel and delete jobs."},
    {"name": "batches", "description": "Thousands of files with the same options."},
    {"name": "webhooks", "description": "Addresses that are told when jobs and batches end."},
    {"name": "uploads", "description": "Files in parts that survive cut connections (tus 1.0)."},
    {"name": "downloads", "description": "What jobs delivered."},
    {"name": "player", "description": "What jobs delivered, in pieces for players."},
    {"name": "library", "description": "The tracks that this installation knows."},
    {"name": "renders", "description": "Mixes of stems that are made on the server."},
    {"name": "models", "description": "Weights of models, fetched on request."},
    {"name": "decks", "description": "Players on the network, and what they play."},
    {"name": "playlists", "description": "Sets planned from the library, and their exports."},
]
EXPOSED_HEADERS = [
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "ETag",
    REPLAYED,
    "Link",
    "Location",
    LIMIT,
    POLICY,
    "Repr-Digest",
    "Retry-After",
    "Tus-Resumable",
    "Upload-Expires",
    "Upload-Length",
    "Upload-Offset",
    playlists.WARNINGS,
    REQUEST_ID,
]


def create_app(settings: Settings) -> FastAPI:
    """Create the app; its services open at startup."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = open_services(settings)
        app.state.services = await run_in_threadpool(opened.__enter__)
        try:
            with noticing_stop(app.state.services.stopping):
                yield
        finally:
            await run_in_threadpool(opened.__exit__, None, None, None)

    app = FastAPI(
        title="Stemcrate",
        version=VERSION,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        dependencies=[Depends(refuse_foreign_origins), Depends(require_scope)],
        responses={"default": any_problem()},
    )
    app.state.registry = new_registry()
    add_schemas(app)
    install_problem_handlers(app)
    routers = [
        routes.router
        for routes in (
            system,
            process,
            uploads,
            jobs,
            batches,
            webhooks,
            events,
            downloads,
            player,
            streams,
            renders,
            weights,
            library,
            corrections,
            collections,
            imports,
            transfers,
            ingests,
            decks,
            enrichments,
            playlists,
            documentation,
        )
    ]
    for router in routers:
        app.include_router(router)
    check_table(route for router in routers for route in router.routes)
    app.add_middleware(Tus, max_upload_bytes=settings.max_upload_bytes)
    app.add_middleware(Idempotency, database_url=settings.resolved_database_url())
    app.add_middleware(RequestQuota)
    app.add_middleware(Callers, demands_key=settings.demands_key())
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["*"],
        expose_headers=EXPOSED_HEADERS,
    )
    app.add_middleware(KnownHosts, names=settings.host_names())
    app.add_middleware(BodyProgress, max_open=settings.n_connections() // 2)
    app.add_middleware(ChangeLog)
    app.add_middleware(Audit, data_dir=settings.data_dir)
    app.add_middleware(CommonHeaders)
    app.add_middleware(RequestMetrics, registry=app.state.registry)
    app.add_middleware(HeadAsGet)  # the last middleware added is the outermost
    return app


def create_app_from_environment() -> FastAPI:
    """Create the app from the environment's settings, and configure logging."""
    installation = settings()
    configure_logging(
        installation.log_level, installation.data_dir, "api", format=installation.log_format
    )
    return create_app(installation)
