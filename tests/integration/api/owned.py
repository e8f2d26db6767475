"""An API that demands keys, on a real socket, and what its owners make there."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from api.deps import open_services
from config import Settings
from core.jobs.import_runner import ImportRunner
from core.jobs.library_sync import LibrarySync
from core.jobs.progress import ProgressLog
from core.jobs.render_runner import RenderRunner
from core.pipeline.order import build_pipeline
from stemcrate.client import Client
from tests.integration.api.apps import serve, settings_for
from tests.integration.api.keys import bearer, make_key


class Owner:
    """A client with a key, and requests of any shape with the same key."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.client = Client(url, api_key=key)
        self._headers = bearer(key)

    def ask(self, method: str, path: str, **body: Any) -> requests.Response:
        headers = {**self._headers, "Tus-Resumable": "1.0.0", **body.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=60, **body)


@dataclass
class House:
    """A running API, and what its worker would do."""

    url: str
    settings: Settings
    stack: ExitStack

    def owner(self, name: str) -> Owner:
        owner = Owner(self.url, make_key(self.settings.data_dir, name))
        self.stack.callback(owner.client.close)
        return owner

    def work(self, *job_ids: str) -> None:
        """Run queued jobs, and enter their tracks into the libraries of their owners."""
        with open_services(self.settings) as services:
            pipeline = build_pipeline(services.store, services.settings.runtime())
            for job_id in job_ids:
                pipeline.run(job_id, pipeline.run_stage)
        self.sweep()

    def sweep(self) -> None:
        with open_services(self.settings) as services:
            LibrarySync(services.store, self._database_url).look()

    def render(self, id: str) -> None:
        """Make a queued render."""
        log = ProgressLog(self._database_url)
        storage = self.settings.storage()
        runner = RenderRunner(storage, self._database_url, log, silence_s=0.0, max_deaths=1)
        with open_services(self.settings) as services:
            store = services.renders.renders.__class__(storage)
            runner.run(id, store.load(id).run)
        runner.stop()

    def import_folder(self, id: str) -> None:
        """Carry out a queued import."""
        storage = self.settings.storage()
        ImportRunner(storage, self._database_url, cache_max_bytes=0, n_processes=1).run(id)

    @property
    def _database_url(self) -> str:
        return self.settings.resolved_database_url()


@contextmanager
def open_house(folder: Path, **changes: Any) -> Iterator[House]:
    changes = {"api_host": "0.0.0.0", **changes}
    with serve(folder, **changes) as (host, port), ExitStack() as stack:
        yield House(f"http://{host}:{port}", settings_for(folder, **changes), stack)
