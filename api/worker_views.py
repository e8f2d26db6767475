"""Converts the reports of workers to API models."""

from core.jobs.reports import WorkerReport
from stemcrate.schemas.configuration import WorkerInfo


def worker_view(report: WorkerReport) -> WorkerInfo:
    """Return what the API tells of a worker."""
    return WorkerInfo(
        device=report.device.name,
        device_reason=report.device.reason,
        models=[model.name for model in report.inventory.models if model.available],
        auto=report.inventory.auto.resolved,
        auto_reason=report.inventory.auto.reason,
    )
