"""Operations on renders for the API: request, follow, delete."""

from core.artifacts.renders import RenderStore
from core.artifacts.store import JobStore
from core.errors import DatabaseUnavailable
from core.jobs.progress import ProgressLog
from core.jobs.queue import JobQueue
from core.library.library import Library
from core.rendering.plan import identify, plan_render
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.renders import RenderRecord, RenderRequest


class RenderService:
    """Renders for the API: the record beside the file says all, the queue triggers execution."""

    def __init__(
        self, store: JobStore, queue: JobQueue, log: ProgressLog, library: Library
    ) -> None:
        self._store = store
        self._library = library
        self._queue = queue
        self._log = log
        self.renders = RenderStore(store.storage, library.owner)

    def request(self, request: RenderRequest) -> RenderRecord:
        """Return the render of a request, queued unless it was made already.

        Raises what `plan_render` raises, and `DatabaseUnavailable` and `StorageFull`; if it cannot
        be queued, nothing is left.
        """
        plan = plan_render(self._store, self._library, request)
        id = identify(plan, self._library.owner)
        record, is_new = self.renders.take(
            id, request, job_ids=plan.job_ids, track_ids=plan.track_ids
        )
        if is_new:
            try:
                self._queue.enqueue_render(id, record.run, record.owner)
            except Exception:
                self.renders.delete(id)
                raise
        return record

    def fraction(self, record: RenderRecord) -> float:
        """Return the fraction of a render that is done, 0 to 1."""
        if record.state == JobState.COMPLETED:
            return 1.0
        if record.state != JobState.RUNNING:
            return 0.0
        for event in self._log.latest(record.id, 1):
            return float(event.payload.get("fraction", 0.0))
        return 0.0

    def delete(self, id: str) -> None:
        """Remove a render; stop it if it runs. Raises `RenderNotFound`."""
        self.renders.delete(id)
        try:
            self._queue.forget(id)
            self._log.forget(id)
        except DatabaseUnavailable:
            pass  # the reaper removes the rows
