"""A disk that is full while a job runs: real, small, and filled to its last page."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from bench.databases import new_database
from bench.small_disk import SmallDisk, small_disk
from core.system.database import engine_for, is_sqlite
from tests.integration.jobs.installation import (
    Installation,
    installation_in,
    on_both_databases,
)
from tests.programs import REASON

DISK_BYTES = 20_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    try:
        with small_disk(tmp_path / "disk", DISK_BYTES) as disk:
            yield disk
    except FileNotFoundError:
        pytest.skip(REASON + "mount")
    except PermissionError as error:
        pytest.skip(str(error))


@pytest.fixture
def house(
    request: pytest.FixtureRequest, disk: SmallDisk, tmp_path: Path
) -> Iterator[Installation]:
    with ExitStack() as stack:
        url = None
        if request.param == "postgresql":
            url = stack.enter_context(new_database(request.getfixturevalue("server")))
            stack.callback(lambda: engine_for(str(url)).dispose())
        installation = stack.enter_context(installation_in(disk.folder, url))
        installation.consoles = tmp_path  # what a worker says must not be lost with the rest
        yield installation


@on_both_databases
def test_a_disk_that_fills_up_during_a_stage_ends_the_job_once_there_is_room(
    house: Installation, disk: SmallDisk, tmp_path: Path
) -> None:
    """The job stayed "running" and kept its slots, until the worker was restarted.

    With SQLite the engine has no room either, and drops the stage; no thread runs it then.
    """
    go_on = tmp_path / "go-on"
    worker = house.start_worker()
    job_id = house.submit(f"until={go_on}")
    house.wait_for_work(job_id)
    disk.fill()
    go_on.touch()

    def is_noticed() -> bool:
        disk.fill()  # what the job gives up is taken at once
        console = worker.log.read_text()
        return "waiting for room" in console or "in background workflow" in console

    house.wait_until(is_noticed)
    assert house.state(job_id) == "running"
    disk.free()

    assert house.wait_for_end(job_id) == "failed"
    error = house.manifest(job_id).error
    assert error is not None
    assert error.code == "storage_full"
    assert worker.process.poll() is None
    assert house.wait_for_end(house.submit("work=0.1")) == "completed"


@on_both_databases
def test_a_job_that_starts_on_a_full_disk_waits(house: Installation, disk: SmallDisk) -> None:
    """Its first note in the manifest failed, and with it the workflow that runs the job."""
    worker = house.start_worker()
    house.wait_until(worker.is_ready)
    process = psutil.Process(worker.process.pid)
    process.suspend()
    job_id = house.submit("work=0.1")
    disk.fill()
    process.resume()
    if not is_sqlite(house.url):  # whose own file is on the full disk: the engine waits as well
        house.wait_until(lambda: "waiting for room" in worker.log.read_text())
    disk.free()

    assert house.wait_for_end(job_id) == "completed"
    assert worker.process.poll() is None


@on_both_databases
def test_a_running_job_can_be_deleted_from_a_full_disk(
    house: Installation, disk: SmallDisk, tmp_path: Path
) -> None:
    """What would have made room was refused for lack of room."""
    house.start_worker()
    job_id = house.submit(f"until={tmp_path / 'never'}")
    house.wait_for_work(job_id)
    disk.fill()
    house.service.delete(job_id)
    assert house.store.job_ids() == []
    disk.free()

    house.wait_until(lambda: not house.store.job_folder(job_id).exists())
    assert house.wait_for_end(house.submit("work=0.1")) == "completed"
