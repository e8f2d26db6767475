"""Fetches weights in a worker, one model at a time, in a process that can be killed.

Requested downloads are records in the data folder (`core.artifacts.fetches`), which every worker
reads; decision 20 says why they do not go through the queue of jobs.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from core.artifacts.fetches import FetchStore
from core.errors import FetchNotFound, StemcrateError, StorageFull, WorkerLost
from core.jobs.patience import patiently
from core.jobs.rounds import Rounds
from core.jobs.timing import MIN_INTERVAL_S
from core.jobs.watching import killed_unless
from core.pipeline.outcome import failure_of
from core.separation.weights.store import WeightsStore
from core.system.isolation import IsolatedProcess, ProcessDied, ProcessLimits
from core.system.storage import Storage
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.weights import FetchRecord

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0


class WeightsFetcher(Rounds):
    """Carries out requested downloads. `run` is for one thread, `stop` for any.

    Parameters
    ----------
    storage : with the records.
    model_dir : where weights go; None stands for the hub's cache.
    fetched : called when weights have arrived, before their download counts as completed.
    max_deaths : deaths of its process before a download fails.
    """

    subject = "weights"

    def __init__(
        self,
        storage: Storage,
        model_dir: Path | None,
        *,
        fetched: Callable[[], None],
        max_deaths: int,
    ) -> None:
        self._storage = storage
        self._model_dir = model_dir
        self._fetched = fetched
        self._max_deaths = max_deaths
        self._store = FetchStore(storage)
        self._process = IsolatedProcess(ProcessLimits())
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Kill the process; the next worker continues its download."""
        self._stopping.set()
        self._process.close()

    def round(self) -> None:
        """Carry out what is requested."""
        for record in self._store.all():
            if record.state.is_final or self._stopping.is_set():
                continue
            with self._store.hold(record.model) as is_held, suppress(FetchNotFound):
                if is_held:
                    self._carry_out(record)

    def _carry_out(self, record: FetchRecord) -> None:
        """Fetch and record the end. Raises `FetchNotFound` once it was cancelled."""
        with self._store.update(record) as begun:
            begun.state = JobState.RUNNING
            begun.started_at = datetime.now(UTC)
        logger.info("fetching the weights of %s", record.model)
        try:
            self._fetch(record)
            self._fetched()
        except FetchNotFound:
            logger.info("the download of %s was cancelled", record.model)
            raise
        except StemcrateError as error:
            if not self._stopping.is_set():
                logger.warning("the weights of %s were not fetched: %s", record.model, error)
                self._end(record, error)
        else:
            self._end(record)
        finally:
            self._process.close()

    def _fetch(self, record: FetchRecord) -> None:
        for n_deaths in range(1, self._max_deaths + 1):
            try:
                with killed_unless(lambda: self._store.is_current(record), self._process):
                    self._process.call(perform, self._storage, self._model_dir, record)
            except ProcessDied as error:
                if not self._store.is_current(record):
                    raise FetchNotFound("It was cancelled.") from error
                logger.warning("death %d of %d: %s", n_deaths, self._max_deaths, error)
                lost = error
                if self._stopping.is_set():
                    break
            else:
                return
        raise WorkerLost(
            f"The process of the download died: {lost}.", hint="Fetch the weights again."
        )

    def _end(self, record: FetchRecord, error: StemcrateError | None = None) -> None:
        def write() -> None:
            with self._store.update(record) as ended:
                ended.state = JobState.FAILED if error else JobState.COMPLETED
                ended.error = failure_of(error) if error else None
                ended.finished_at = datetime.now(UTC)

        patiently(write)


def perform(storage: Storage, model_dir: Path | None, record: FetchRecord) -> None:
    """Download the weights of a record's model in a process of its own; record the progress.

    Raises what `WeightsStore.fetch` raises, and `FetchNotFound` once it was cancelled.
    """
    store = FetchStore(storage)
    told_at = float("-inf")

    def tell(done_bytes: int, total_bytes: int | None) -> None:
        nonlocal told_at
        if done_bytes != total_bytes and time.monotonic() - told_at < MIN_INTERVAL_S:
            return
        told_at = time.monotonic()
        # A convenience: the disk may have room for the file that grows meanwhile, and no more.
        with suppress(StorageFull), store.update(record) as current:
            current.done_bytes, current.total_bytes = done_bytes, total_bytes

    WeightsStore(model_dir).fetch(record.model, tell)
