"""A page of the history: job ids sort by time, so the last id of a page is its cursor."""

from api.views import job_kind, job_summary
from core.artifacts.store import JobStore, is_job_id
from core.errors import InvalidOption
from core.library.catalogue.query import fold
from core.pipeline.retrying import can_retry
from stemcrate.schemas.jobs import JobPage, JobQuery, JobSummary
from stemcrate.schemas.manifest import ProcessingManifest


def read_page(store: JobStore, query: JobQuery) -> JobPage:
    """Read the page of a query. Raises `InvalidOption` for a bad cursor."""
    if query.cursor is not None and not is_job_id(query.cursor):
        raise InvalidOption(
            f"'{query.cursor}' is not a cursor.",
            hint="Give next_cursor of the page before, or none for the first page.",
            field="cursor",
        )
    words = fold(query.text).split()
    jobs: list[JobSummary] = []
    before = query.cursor
    while True:
        manifests = store.page(before=before, limit=query.limit + 1)
        for manifest in manifests:
            if not _matches(manifest, query, words):
                continue
            if len(jobs) == query.limit:
                return JobPage(jobs=jobs, next_cursor=jobs[-1].job_id)
            jobs.append(job_summary(manifest, can_retry=can_retry(manifest, store)))
        if len(manifests) <= query.limit:
            return JobPage(jobs=jobs, next_cursor=None)
        before = manifests[-1].job_id


def _matches(manifest: ProcessingManifest, query: JobQuery, words: list[str]) -> bool:
    if query.state not in (None, manifest.state) or query.kind not in (None, job_kind(manifest)):
        return False
    if not words:
        return True
    names = [manifest.job_id, *(track.source.name for track in manifest.tracks)]
    text = fold(" ".join(names))
    return all(word in text for word in words)
