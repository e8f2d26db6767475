"""A disk that is full while a job runs: real, small, and filled to its last page."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.system.database import engine_for
from tests.integration.jobs.installation import (
    Installation,
    installation_in,
    on_both_databases,
)
from tests.postgres import new_database
from tests.programs import REASON

PAGE = bytes(4096)


class SmallDisk:
    """A filesystem of 20 MB."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no page free."""
        with self._filler.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(PAGE)
            except OSError:
                pass

    def free(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", folder], capture_output=True
        )
    except FileNotFoundError:
        pytest.skip(REASON + "mount")
    if mounted.returncode:
        pytest.skip("mounting a filesystem is not permitted")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


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
