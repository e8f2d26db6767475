"""A page of the history: job ids sort by time, so the last id of a page is its cursor."""

from api.views import job_summary
from core.artifacts.store import JobStore, is_job_id
from core.errors import InvalidOption
from stemcrate.schemas.jobs import JobPage, JobSummary
from stemcrate.schemas.manifest import JobState


def read_page(
    store: JobStore, *, limit: int, cursor: str | None, state: JobState | None
) -> JobPage:
    """Read up to ``limit`` jobs older than ``cursor``. Raises `InvalidOption` for a bad cursor."""
    if cursor is not None and not is_job_id(cursor):
        raise InvalidOption(
            f"'{cursor}' is not a cursor.",
            hint="Give next_cursor of the page before, or none for the first page.",
            field="cursor",
        )
    jobs: list[JobSummary] = []
    before = cursor
    while True:
        manifests = store.page(before=before, limit=limit + 1)
        for manifest in manifests:
            if state is not None and manifest.state != state:
                continue
            if len(jobs) == limit:
                return JobPage(jobs=jobs, next_cursor=jobs[-1].job_id)
            jobs.append(job_summary(manifest))
        if len(manifests) <= limit:
            return JobPage(jobs=jobs, next_cursor=None)
        before = manifests[-1].job_id
