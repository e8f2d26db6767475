"""The real API on a real socket, with one job that is finished and one that waits."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from api.deps import open_services
from config import Settings
from core.jobs.library_sync import LibrarySync
from core.pipeline.order import build_pipeline
from stemcrate.client import Client
from stemcrate.client.uploads import OptionValue
from stemcrate.schemas.jobs import Job
from tests.integration.api.apps import serve, settings_for, wav_bytes

OPTIONS: dict[str, OptionValue] = {
    "stages": ["composite", "tempo", "key", "descriptors", "waveform", "playlist"],
    "recipes": "acapella",
}


@dataclass
class Installation:
    """A running API over a folder."""

    address: tuple[str, int]
    settings: Settings

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"

    def run_job(self, job_id: str) -> None:
        """Run a queued job to its end without a worker, and enter its tracks into the library."""
        with open_services(self.settings) as services:
            pipeline = build_pipeline(services.store, services.settings.runtime())
            pipeline.run(job_id, pipeline.run_stage)
            LibrarySync(services.store, services.settings.resolved_database_url()).look()


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("client")
    with serve(folder) as address:
        yield Installation(address, settings_for(folder))


@pytest.fixture(scope="package")
def client(installation: Installation) -> Iterator[Client]:
    with Client(installation.url) as client:
        yield client


@pytest.fixture(scope="package")
def finished(
    client: Client, installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Job:
    """A job of two tracks that has ended."""
    folder = tmp_path_factory.mktemp("songs")
    paths = [folder / "Artist - Nacht & Träume #1.wav", folder / "second.wav"]
    for seed, path in enumerate(paths, start=1):
        path.write_bytes(wav_bytes(2.5, seed=seed))
    job_id = client.submit_job(paths, OPTIONS).job_id
    installation.run_job(job_id)
    return client.wait(job_id)
