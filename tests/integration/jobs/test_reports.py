"""Real workers publish what they have, on both databases."""

from core.jobs.reports import WorkerReports
from tests.integration.jobs.installation import Installation, on_both_databases


@on_both_databases
def test_a_worker_reports_its_device_and_models(house: Installation) -> None:
    """/config described the API's machine: another one than that on which models run."""
    reports = WorkerReports(house.url)
    first = house.start_worker()
    house.wait_until(lambda: [report.device.name for report in reports.live()] == ["cpu"])
    inventory = reports.inventory()
    assert inventory is not None
    assert inventory.is_available("spleeter")

    first.kill()
    house.wait_until(lambda: reports.live() == [])
    assert reports.inventory() == inventory
    house.start_worker()
    house.wait_until(reports.live)
    assert len(reports.live()) == 1
