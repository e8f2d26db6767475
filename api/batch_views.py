"""Batches as the API describes them."""

from collections.abc import Sequence

from core.jobs.batch_store import BatchRecord, BatchStore
from stemcrate.schemas.batches import (
    Batch,
    BatchCounts,
    BatchLinks,
    BatchManifest,
)
from stemcrate.schemas.manifest import JobState


def batch_path(id: str) -> str:
    """Return the path of a batch."""
    return f"/batches/{id}"


def batch_views(store: BatchStore, records: Sequence[BatchRecord]) -> list[Batch]:
    """Describe batches."""
    counted = store.counts([record.id for record in records])
    return [_view(record, *counted[record.id]) for record in records]


def batch_manifest(store: BatchStore, record: BatchRecord) -> BatchManifest:
    """Return the record of a batch with all its files."""
    (view,) = batch_views(store, [record])
    return BatchManifest(
        **view.model_dump(include={"id", "name", "state", "created_at", "finished_at"}),
        options=record.options,
        jobs=store.items(record.id),
    )


def _view(record: BatchRecord, counts: BatchCounts, n_jobs: int) -> Batch:
    path = batch_path(record.id)
    n_inputs = sum(n for _, n in counts)
    state = record.state
    if state is None:
        state = JobState.QUEUED if counts.queued == n_inputs else JobState.RUNNING
    return Batch(
        id=record.id,
        name=record.name,
        state=state,
        created_at=record.created_at,
        finished_at=record.finished_at,
        n_inputs=n_inputs,
        n_jobs=n_jobs,
        counts=counts,
        links=BatchLinks(
            self=path, jobs=f"{path}/jobs", manifest=f"{path}/manifest", cancel=f"{path}/cancel"
        ),
    )
