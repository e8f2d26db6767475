"""Files of a job put into folders, an object store and WebDAV, by the code of a worker."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient

from core.artifacts.hashing import hash_file
from core.jobs.transfers import TransferRunner
from core.transfer.targets import Target
from stemcrate.schemas.manifest import ProcessingManifest
from stemcrate.schemas.transfers import Transfer, TransferIndex
from tests.integration.api.apps import open_client, run_here, services_of, submit
from tests.object_store import ObjectStore
from tests.programs import requires
from tests.webdav import running_webdav

pytestmark = pytest.mark.slow
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("transfers")


@pytest.fixture(scope="module")
def webdav(ground: Path) -> Iterator[str]:
    (ground / "webdav").mkdir()
    with running_webdav(ground / "webdav") as url:
        yield url


@pytest.fixture(scope="module")
def client(ground: Path, webdav: str) -> Iterator[TestClient]:
    targets = [f"file://{ground}/crates", "s3://stemcrate/crates", webdav, NOBODY]
    with open_client(ground / "data", transfer_targets=targets) as client:
        yield client


@pytest.fixture(scope="module")
def job(client: TestClient) -> ProcessingManifest:
    job_id = submit(client, stages="composite")
    run_here(client, job_id)
    return manifest_of(client, job_id)


def manifest_of(client: TestClient, job_id: str) -> ProcessingManifest:
    return ProcessingManifest.model_validate_json(client.get(f"/job/{job_id}/manifest").content)


def transfer(client: TestClient, job_id: str, target: str, **request: str) -> Transfer:
    """Request a transfer, and let the runner of a worker carry it out."""
    answer = client.post(f"/job/{job_id}/transfers", json={"target": target, **request})
    assert answer.status_code == 202, answer.text
    TransferRunner(services_of(client).store).run(answer.json()["id"])
    return Transfer.model_validate_json(client.get(answer.headers["location"]).content)


def hashes_of(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hash_file(path)[0] for path in files}


def expected(job: ProcessingManifest, at: str = "") -> dict[str, str]:
    return {f"{at}{a.name}": a.sha256 for a in job.all_artefacts()}


def test_all_files_go_to_a_folder_with_an_index_that_leads_to_them(
    client: TestClient, job: ProcessingManifest, ground: Path
) -> None:
    target = f"file://{ground}/crates/of the job"
    done = transfer(client, job.job_id, target)
    assert (done.state, done.error) == ("completed", None)
    found = hashes_of(ground / "crates" / "of the job")
    assert done.n_done == done.n_files == len(job.all_artefacts())
    index_name = f"{job.job_id}/index.json"
    assert found.keys() - {index_name} == expected(job, f"{job.job_id}/").keys()
    assert expected(job, f"{job.job_id}/").items() <= found.items()
    index = TransferIndex.model_validate_json(
        (ground / "crates" / "of the job" / index_name).read_bytes()
    )
    (track,) = index.tracks
    assert track.sha256 == job.tracks[0].source.sha256
    for file in (*track.files, *index.files):
        assert hash_file(Path(unquote(file.url.removeprefix("file://"))))[0] == file.sha256
    (note,) = manifest_of(client, job.job_id).transfers
    assert note.index_url == done.index_url
    assert note.n_bytes == sum(a.bytes for a in job.all_artefacts())


@requires("seaweedfs")
def test_a_bucket_takes_them_and_gives_them_back(
    client: TestClient,
    job: ProcessingManifest,
    object_store: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    done = transfer(client, job.job_id, "s3://stemcrate/crates", template="{title}/{name}")
    assert (done.state, done.error) == ("completed", None)
    assert done.index_url is not None
    assert done.index_url.startswith("s3://stemcrate/crates/")


def test_webdav_takes_them(
    client: TestClient, job: ProcessingManifest, ground: Path, webdav: str
) -> None:
    done = transfer(client, job.job_id, webdav, template="{track}/{name}")
    assert (done.state, done.error) == ("completed", None)
    assert set(expected(job).values()) <= set(hashes_of(ground / "webdav").values())


def test_a_target_that_is_away_is_said(client: TestClient, job: ProcessingManifest) -> None:
    gone = transfer(client, job.job_id, NOBODY)
    assert gone.error is not None
    assert (gone.state, gone.error.code) == ("failed", "transfer_failed")


def test_what_is_there_is_not_sent_again_and_what_differs_is_left_alone(
    client: TestClient,
    job: ProcessingManifest,
    ground: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = ground / "crates" / "again"
    assert transfer(client, job.job_id, f"file://{folder}").state == "completed"
    first, second = job.all_artefacts()[:2]
    (folder / job.job_id / first.name).unlink()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert transfer(client, job.job_id, f"file://{folder}").state == "completed"
    sent = {p for p in folder.rglob("*") if p.is_file() and before.get(p) != p.stat().st_mtime_ns}
    assert {path.name for path in sent} == {Path(first.name).name, "index.json"}

    (folder / job.job_id / second.name).write_bytes(b"somebody's own")
    failed = transfer(client, job.job_id, f"file://{folder}")
    assert failed.error is not None
    assert (failed.state, failed.error.code) == ("failed", "transfer_failed")
    assert (folder / job.job_id / second.name).read_bytes() == b"somebody's own"


def test_a_cancelled_transfer_stops(
    client: TestClient, job: ProcessingManifest, ground: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = client.post(
        f"/job/{job.job_id}/transfers", json={"target": f"file://{ground}/crates/stopped"}
    )
    put = Target.put

    def cancel_first(self: Target, *arguments: Any) -> None:
        client.post(f"/transfers/{answer.json()['id']}/cancel")
        put(self, *arguments)

    monkeypatch.setattr(Target, "put", cancel_first)
    monkeypatch.setattr("core.jobs.transfers.TELL_S", 0.0)
    TransferRunner(services_of(client).store).run(answer.json()["id"])
    assert client.get(answer.headers["location"]).json()["state"] == "cancelled"
    assert len(hashes_of(ground / "crates" / "stopped")) <= 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"target": "s3://other/bucket"}, "target"),
        ({"target": "s3://stemcrate/crates-of-others"}, "target"),
        ({"target": "s3://stemcrate/crates/../x"}, "target"),
        ({"target": "file:///etc"}, "target"),
        ({"target": "s3://stemcrate/crates", "template": "{job_id}"}, "template"),
        ({"target": "s3://stemcrate/crates", "template": "../{name}"}, "template"),
        ({"target": "s3://stemcrate/crates", "template": "/{name}"}, "template"),
        ({"target": "s3://stemcrate/crates", "template": "{name.__class__}"}, "template"),
        ({"target": "s3://stemcrate/crates", "template": "{name:>9999}"}, "template"),
        ({"target": "s3://stemcrate/crates", "template": "{name"}, "template"),
    ],
)
def test_no_other_place_is_written_to(
    client: TestClient, job: ProcessingManifest, given: dict[str, str], field: str
) -> None:
    answer = client.post(f"/job/{job.job_id}/transfers", json=given)
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text


def test_a_job_that_runs_is_not_transferred(client: TestClient) -> None:
    answer = client.post(
        f"/job/{submit(client)}/transfers", json={"target": "s3://stemcrate/crates"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "job_not_finished")
