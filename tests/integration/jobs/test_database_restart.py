"""A worker whose PostgreSQL stops, starts, or is not there yet."""

from pathlib import Path

from bench.databases import Server
from tests.integration.jobs.installation import installation_in
from tests.programs import requires

pytestmark = requires("postgresql")


def test_a_worker_goes_on_after_its_database_was_restarted(
    tmp_path: Path, postgres: Server
) -> None:
    """An update of PostgreSQL must cost neither a running stage nor the worker."""
    with installation_in(tmp_path, postgres.url) as house:
        worker = house.start_worker()
        told_to_end = tmp_path / "told-to-end"
        job_id = house.submit(f"work=0.1 until={told_to_end}")
        house.wait_for_work(job_id)
        postgres.stop()
        house.wait_until(lambda: "this worker lost its lock" in worker.log.read_text())
        postgres.start()
        told_to_end.touch()

        assert house.wait_for_end(job_id) == "completed"
        assert house.attempts(job_id)["work"] == 1
        assert worker.process.poll() is None
        assert house.wait_for_end(house.submit("work=0.1")) == "completed"


def test_a_worker_waits_for_its_database(tmp_path: Path, postgres: Server) -> None:
    """Five deaths at once made `stemcrate serve` give up for good."""
    with installation_in(tmp_path, postgres.url) as house:
        job_id = house.submit("work=0.1")
        postgres.stop()
        worker = house.start_worker()
        house.wait_until(lambda: worker.log.read_text().count("waiting for the database") > 1)
        postgres.start()

        assert house.wait_for_end(job_id) == "completed"
