"""A page of the history: job ids sort by time, so the last id of a page is its cursor."""

from contextlib import suppress

from core.artifacts.job_ids import is_job_id
from core.artifacts.job_index import ListedJob
from core.artifacts.store import JobStore
from core.errors import InvalidOption, JobNotFound
from core.pipeline.retrying import can_retry
from stemcrate.schemas.jobs import JobPage, JobQuery, JobSummary


def read_page(store: JobStore, query: JobQuery) -> JobPage:
    """Read the page of a query. Raises `InvalidOption` for a bad cursor."""
    if query.cursor is not None and not is_job_id(query.cursor):
        raise InvalidOption(
            f"'{query.cursor}' is not a cursor.",
            hint="Give next_cursor of the page before, or none for the first page.",
            field="cursor",
        )
    found = store.find(query, limit=query.limit + 1)
    page = [_complete(listed, store) for listed in found[: query.limit]]
    has_more = len(found) > query.limit
    return JobPage(jobs=page, next_cursor=page[-1].job_id if has_more else None)


def _complete(listed: ListedJob, store: JobStore) -> JobSummary:
    """Say whether a job can be tried again, which its manifest and its files tell."""
    if listed.is_undone:
        with suppress(JobNotFound):  # deleted meanwhile
            manifest = store.load(listed.summary.job_id)
            return listed.summary.model_copy(update={"can_retry": can_retry(manifest, store)})
    return listed.summary
