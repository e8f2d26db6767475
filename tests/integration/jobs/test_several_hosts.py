"""Several hosts that share a database and an object store, and nothing else.

Each worker has a data folder of its own; a host that vanishes takes its folder along.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench.databases import new_database
from core.artifacts.incoming import open_incoming
from core.artifacts.job_ids import new_job_id
from core.artifacts.objects import objects_of
from core.artifacts.store import JobStore
from core.errors import UploadNotFound
from core.pipeline.context import StageContext
from core.pipeline.order import build_pipeline
from core.pipeline.results import SeparationResult
from core.pipeline.stage_ref import StageRef
from core.pipeline.stages.separation import SeparationStage
from core.pipeline.verifying import verify_job
from core.system.database import engine_for
from core.system.storage import Storage
from stemcrate.schemas.manifest import JobState, StageState
from stemcrate.schemas.options import ProcessingOptions
from tests.integration.jobs.installation import Installation
from tests.integration.jobs.test_batches import batches_of, upload
from tests.object_store import ObjectStore
from tests.programs import requires
from tests.signals import make_song, write_song

pytestmark = [requires("postgresql", "seaweedfs"), pytest.mark.slow]


@pytest.fixture
def cluster(
    tmp_path: Path, server: str, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    with new_database(server) as url:
        folder = tmp_path / "api"
        folder.mkdir()
        installation = Installation(folder, url, f"{object_store.url}/{os.urandom(4).hex()}")
        yield installation
        installation.close()
        engine_for(url).dispose()


def copy_elsewhere(cluster: Installation, folder: Path) -> JobStore:
    """Return the store as another host has it."""
    return JobStore(Storage(folder, cluster.url, cluster.store.storage.url))


def test_a_host_that_vanishes_costs_the_stage_that_it_ran(
    cluster: Installation, tmp_path: Path
) -> None:
    """What only the disk of a worker has is lost with it; what was done must not be."""
    first = cluster.start_worker(data_dir=tmp_path / "first")
    job_id = cluster.submit("work=3")
    cluster.wait_until(lambda: any((tmp_path / "first").rglob("half/*.txt")))
    first.kill()
    shutil.rmtree(tmp_path / "first")

    gpu = cluster.start_worker(data_dir=tmp_path / "second", kinds=("gpu",))
    cluster.start_worker(data_dir=tmp_path / "third", kinds=("cpu",))
    assert cluster.wait_for_end(job_id) == "completed"
    attempts = cluster.attempts(job_id)
    assert attempts.pop("work") == 2
    assert set(attempts.values()) == {1}
    pids = {child.pid for child in gpu.children()}
    assert cluster.manifest(job_id).stage("work", 0).result["pid"] in pids
    assert cluster.manifest(job_id).tracks[0].analysis.model_dump()["pid"] not in pids
    other = copy_elsewhere(cluster, tmp_path / "fourth")
    manifest = other.load(job_id)
    for artefact in manifest.all_artefacts():
        assert other.fetch(other.artefact_path(job_id, artefact)).stat().st_size == artefact.bytes
    cluster.service.delete(job_id)
    assert not other.exists(job_id)


def test_an_outage_of_store_and_database_costs_nothing(
    cluster: Installation, object_store: ObjectStore, tmp_path: Path
) -> None:
    """A stage ends while the store is silent, and every session of the database was cut."""
    cluster.start_worker(data_dir=tmp_path / "first")
    job_id = cluster.submit("work=1")
    cluster.wait_until(lambda: any((tmp_path / "first").rglob("half/*.txt")))
    others = sa.text(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    with object_store.silent():
        with engine_for(cluster.url).connect() as connection:
            connection.execute(others)
        cluster.wait_until(lambda: any((tmp_path / "first" / "outputs").rglob("work.txt")))
        assert cluster.stage_state(job_id, "work") == "running"
    assert cluster.wait_for_end(job_id) == "completed"
    assert set(cluster.attempts(job_id).values()) == {1}


def test_a_worker_of_another_host_makes_the_jobs_of_a_batch(
    cluster: Installation, tmp_path: Path
) -> None:
    """Uploads in parts lay on the host that received them, which a worker elsewhere cannot read."""
    batches = batches_of(cluster)
    inputs = [upload(cluster), upload(cluster)]
    batches.request(id := new_job_id(), "", inputs, ProcessingOptions())

    cluster.start_worker(data_dir=tmp_path / "first")
    cluster.wait_until(lambda: batches.batches.get(id).finished_at)

    found = batches.batches.items(id)
    assert [(item.state, item.name) for item in found] == [("completed", "song.wav")] * 2
    with pytest.raises(UploadNotFound):
        open_incoming(cluster.store.storage).get(str(inputs[0].upload_id))


def test_another_host_goes_on_with_the_audio_of_a_track(
    cluster: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Audio between stages lies on the host that made it. Another one must get the stems from the
    cache, not separate again."""
    hosts = [
        build_pipeline(copy_elsewhere(cluster, tmp_path / name)) for name in ("gpu", "cpu", "api")
    ]
    gpu, cpu, api = hosts
    song = write_song(tmp_path / "Band - Song.wav", make_song(2.0, 44100), 44100)
    job_id = new_job_id()
    with api.store.open_upload(song.name, 10**9) as upload:
        upload.write(song.read_bytes())
        uploads = [upload.commit(job_id)]
    api.create_job(uploads, ProcessingOptions(model="spleeter", stages=("tempo",)), job_id=job_id)
    n_separations = 0
    execute = SeparationStage.execute

    def separate(stage: SeparationStage, context: StageContext) -> SeparationResult:
        nonlocal n_separations
        n_separations += 1
        return execute(stage, context)

    monkeypatch.setattr(SeparationStage, "execute", separate)

    def on_some_host(ref: StageRef) -> StageState:
        return (gpu if ref.stage_name == "separation" else cpu).run_stage(ref)

    assert api.run(job_id, on_some_host) == JobState.COMPLETED
    assert n_separations == 1
    found = verify_job(api.store, job_id)
    assert (found.missing, found.changed) == ([], [])
    (check,) = found.sums
    assert check.difference is not None
    assert check.difference <= check.allowed
    beside = api.store.fetch(api.store.job_folder(job_id) / "manifest.json")
    assert beside.read_bytes() == api.store.read_manifest(job_id)
    api.store.delete(job_id)
    assert objects_of(api.store.storage).names("") == []
