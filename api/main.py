"""Assembles the app: settings in, FastAPI out; `stemcrate api` serves it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.concurrency import run_in_threadpool

from api import documentation
from api.deps import open_services
from api.head import HeadAsGet
from api.hosts import KnownHosts
from api.middleware import REQUEST_ID, CommonHeaders, UnexpectedErrors
from api.openapi import add_schemas, any_problem
from api.origins import refuse_foreign_origins
from api.problems import install_problem_handlers
from api.routes import downloads, events, jobs, library, playlists, process, system
from api.shutdown import noticing_stop
from api.version import VERSION
from config import Settings, settings
from core.system.logs import configure_logging

DESCRIPTION = """
Stem separation as jobs. Submit files with `POST /process`, follow the job with
`GET /job/{id}/events` or `GET /job/{id}`, take the results from `GET /job/{id}/outputs`.
Every error is `application/problem+json` with a stable `code`.
"""
TAGS = [
    {"name": "system", "description": "What this installation is, and how it is."},
    {"name": "jobs", "description": "Submit, follow, cancel and delete jobs."},
    {"name": "downloads", "description": "What jobs delivered."},
    {"name": "library", "description": "The tracks that this installation knows."},
    {"name": "playlists", "description": "Sets planned from the library, and their exports."},
]
EXPOSED_HEADERS = [
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "ETag",
    "Link",
    "Location",
    "Repr-Digest",
    "Retry-After",
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
        dependencies=[Depends(refuse_foreign_origins)],
        responses={"default": any_problem()},
    )
    add_schemas(app)
    install_problem_handlers(app)
    for routes in (system, process, jobs, events, downloads, library, playlists, documentation):
        app.include_router(routes.router)
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
        allow_headers=["*"],
        expose_headers=EXPOSED_HEADERS,
    )
    app.add_middleware(KnownHosts, names=settings.host_names())
    app.add_middleware(CommonHeaders)
    app.add_middleware(HeadAsGet)  # the last middleware added is the outermost
    return app


def create_app_from_environment() -> FastAPI:
    """Create the app from the environment's settings, and configure logging."""
    installation = settings()
    configure_logging(installation.log_level, installation.data_dir, "api")
    return create_app(installation)
