"""The real app over a temporary folder: in this process, or on a real socket."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import soundfile
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import ASGIApp

from api.connections import server_options
from api.deps import Services
from api.main import create_app
from config import Settings
from core.jobs.library_sync import LibrarySync
from core.pipeline.order import build_pipeline
from tests.conditions import wait_until
from tests.signals import make_song

SAMPLE_RATE = 22_050


def wav_bytes(seconds: float = 1.0, *, sample_rate: int = SAMPLE_RATE, seed: int = 0) -> bytes:
    file = io.BytesIO()
    song = (
        make_song(seconds, sample_rate, seed=seed) if seconds else make_song(1, sample_rate)[:, :0]
    )
    soundfile.write(file, song.T, sample_rate, subtype="PCM_16", format="WAV")
    return file.getvalue()


def settings_for(data_dir: Any, **changes: Any) -> Settings:
    return Settings(_env_file=None, data_dir=data_dir, separator_model="spleeter", **changes)


@contextmanager
def open_client(data_dir: Any, **changes: Any) -> Iterator[TestClient]:
    app = create_app(settings_for(data_dir, **changes))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def services_of(client: TestClient) -> Services:
    """Return what the app behind a client works with."""
    app = client.app
    assert isinstance(app, FastAPI)
    services: Services = app.state.services
    return services


def run_here(client: Any, job_id: Any) -> None:
    """Run a queued job to its end without a worker."""
    services = client.app.state.services
    pipeline = build_pipeline(services.store, services.settings.runtime())
    pipeline.run(job_id, pipeline.run_stage)


def sweep(client: Any) -> None:
    """Bring the library into step with the jobs without a worker."""
    services = client.app.state.services
    LibrarySync(services.store, services.settings.resolved_database_url()).look()


def submit(client: Any, *names: Any, **options: Any) -> Any:
    files = [("file", (name, wav_bytes(0.5))) for name in names or ("song.wav",)]
    answer = client.post("/process", files=files, data=options)
    assert answer.status_code == 202, answer.text
    return answer.json()["job_id"]


def files_below(folder: Path) -> list[Any]:
    """Everything below the uploads folder, by its name in there."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*")) if folder.exists() else []


@contextmanager
def serve(data_dir: Any, **changes: Any) -> Iterator[tuple[str, int]]:
    """Serve the API on a real socket; give its address."""
    settings = settings_for(data_dir, **changes)
    with serve_app(create_app(settings), settings.n_connections()) as address:
        yield address


@contextmanager
def serve_app(app: ASGIApp, n_connections: int = 500) -> Iterator[tuple[str, int]]:
    """Serve an app on a real socket; give its address."""
    options = {**server_options(n_connections), "timeout_graceful_shutdown": 1}
    config = uvicorn.Config(app, port=0, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        assert server.started, "the server ended by itself"
        yield server.servers[0].sockets[0].getsockname()[:2]
    finally:
        server.should_exit = True
        thread.join()
