"""Reports of the workers' devices and models: written by each worker, read by the API.

The API cannot check for itself: a worker may run on another machine or see another disk. A report
stays after its worker ends until another worker publishes: an old report
is better than none.
"""

import logging

import sqlalchemy as sa
from pydantic import BaseModel, ValidationError

from core.jobs.database import worker_reports
from core.jobs.liveness import open_liveness
from core.separation.inventory import Inventory, merge
from core.system.database import transaction

logger = logging.getLogger(__name__)


class DeviceReport(BaseModel):
    """A worker's device for models; ``name`` is None until it is found, or if there is none."""

    name: str | None
    reason: str


class WorkerReport(BaseModel):
    """One worker's device and models."""

    device: DeviceReport
    inventory: Inventory


class WorkerReports:
    """The reports of all workers that share a database.

    Every method raises `DatabaseUnavailable`.
    """

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._liveness = open_liveness(database_url)

    def live(self) -> list[WorkerReport]:
        """List the reports of live workers."""
        return [report for report, is_live in self._read() if is_live]

    def inventory(self) -> Inventory | None:
        """Return what every live worker has, else the last one; None before any report."""
        reports = self._read()
        living = [report for report, is_live in reports if is_live]
        known = living or [report for report, _ in reports]
        return merge([report.inventory for report in known]) if known else None

    def publish(self, executor_id: str, report: WorkerReport) -> None:
        """Replace a worker's report and remove those of dead workers."""
        table = worker_reports
        with transaction(self._url) as connection:
            others = connection.scalars(sa.select(table.c.executor_id)).all()
        gone = [one for one in others if one == executor_id or self._liveness.is_dead(one)]
        row = {"executor_id": executor_id, "payload": report.model_dump_json()}
        with transaction(self._url) as connection:
            connection.execute(sa.delete(table).where(table.c.executor_id.in_(gone)))
            connection.execute(sa.insert(table).values(**row))

    def _read(self) -> list[tuple[WorkerReport, bool]]:
        with transaction(self._url) as connection:
            rows = connection.execute(
                sa.select(worker_reports).order_by(worker_reports.c.executor_id)
            ).all()
        return [
            (report, not self._liveness.is_dead(row.executor_id))
            for row in rows
            if (report := _parse(row.payload)) is not None
        ]


def _parse(payload: str) -> WorkerReport | None:
    try:
        return WorkerReport.model_validate_json(payload)
    except ValidationError:  # from another version
        logger.warning("a worker's report cannot be read: workers and API differ in version")
        return None
