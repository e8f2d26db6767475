"""Ingests through the real queue, the real engine and real worker processes."""

from pathlib import Path

import pytest

from core.artifacts.footprint import Footprint
from core.artifacts.resumable import ResumableUploads
from core.jobs.ingests import IngestService
from core.jobs.quotas import OwnerQuotas
from stemcrate.schemas.ingests import IngestRequest
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.options import ProcessingOptions
from stemcrate.schemas.owners import LOCAL
from tests.file_server import FileServer
from tests.integration.jobs.installation import Installation
from tests.signals import make_song, write_song


@pytest.mark.slow
def test_an_ingest_outlives_its_worker(house: Installation, tmp_path: Path) -> None:
    """SIGKILL in the middle of a download: it began anew, or was never gone on with."""
    served = tmp_path / "served"
    served.mkdir()
    for n in range(2):
        write_song(served / f"{n}.wav", make_song(4.0, 22_050, seed=n), 22_050)
    footprint = Footprint(house.store, ResumableUploads(house.data_dir))
    quotas = OwnerQuotas(LOCAL, house.url, house.queue, footprint)
    ingests = IngestService(
        house.store.storage, house.queue, LOCAL, quotas, is_limited=False, max_files_per_job=5
    )
    with FileServer(served) as server:
        server.break_after, server.stall = 200_000, True
        first = house.start_worker(links_to=["127.0.0.1"])
        links = [server.url(f"{n}.wav") for n in range(2)]
        id = ingests.request(IngestRequest(links=links), None).id
        assert server.stalled.wait(60)
        house.wait_until(lambda: any(house.data_dir.glob("fetching/*/audio.part")))
        first.kill()
        house.wait_until(first.leaves_no_orphan)
        assert ingests.ingests.load(id).state == JobState.RUNNING

        server.break_after = None
        house.start_worker(links_to=["127.0.0.1"])
        house.wait_until(lambda: ingests.ingests.load(id).state.is_final)
        done = ingests.ingests.load(id)
        assert (done.state, done.n_added, done.n_failed) == (JobState.COMPLETED, 2, 0)
        assert house.library.count() == 2
        assert server.ranges

        job = ingests.request(IngestRequest(links=links), ProcessingOptions()).id
        house.wait_until(lambda: ingests.ingests.load(job).state.is_final)
        assert ingests.ingests.load(job).n_known == 2
        assert [track.source.name for track in house.manifest(job).tracks] == ["0.wav", "1.wav"]
