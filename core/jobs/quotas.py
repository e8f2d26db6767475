"""The quotas of an owner, checked where something is about to be used."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core.access.limits import UNLIMITED, OwnerLimits
from core.access.usage import UsageCounts, refusal
from core.artifacts.footprint import Footprint
from core.jobs.batch_store import BatchStore
from core.jobs.queue import JobQueue
from core.system.database import one_process
from stemcrate.schemas.quotas import Allowance, Policy

_PLACES = threading.Lock()
"""One thread of a process at a time asks for a place, on one connection."""


class OwnerQuotas:
    """What an owner may use. Every method raises `QuotaExceeded` and `DatabaseUnavailable`."""

    def __init__(
        self,
        owner: str,
        database_url: str,
        queue: JobQueue,
        footprint: Footprint,
        limits: OwnerLimits = UNLIMITED,
    ) -> None:
        self._owner = owner
        self._url = database_url
        self._queue = queue
        self._footprint = footprint
        self._limits = limits
        self._batches = BatchStore(database_url, owner)
        self._counts = UsageCounts(database_url)

    def count_request(self) -> Allowance | None:
        """Count a request; return what is left of the minute, None without a limit."""
        if not self._limits.requests.quota:
            return None
        return self._counts.take(self._owner, self._limits.requests, 1)

    def count_upload(self, n_bytes: int) -> None:
        """Count a file that is sent."""
        self._take(self._limits.uploads, n_bytes)

    def count_audio(self, duration_s: float) -> None:
        """Count recordings that are submitted."""
        self._take(self._limits.audio, math.ceil(duration_s))

    def require_room(self, n_bytes: int) -> None:
        """Check that files of ``n_bytes`` may be sent and kept, before they are."""
        uploads, disk = self._limits.uploads, self._limits.disk
        if uploads.quota:
            left = self._counts.look(self._owner, uploads)
            if n_bytes > left.available:
                raise refusal(left)
        if disk.quota:
            available = disk.quota - self._footprint.n_bytes()
            if n_bytes > available:
                raise refusal(Allowance(policy=disk, available=max(0, available)))

    @contextmanager
    def job_places(self, n_jobs: int = 1) -> Iterator[None]:
        """Hold places for jobs that the block queues, against all other API processes."""
        if not self._limits.jobs.quota:
            yield
            return
        with _PLACES, one_process(self._url, f"jobs of {self._owner}"):
            self.require_places(n_jobs)
            yield

    def require_places(self, n_jobs: int = 1) -> None:
        """Check that so many jobs may be queued now."""
        policy = self._limits.jobs
        if policy.quota:
            # A batch has places for all its files from the start.
            n_used = self._queue.n_open(self._owner) + self._batches.n_waiting()
            available = policy.quota - n_used
            if n_jobs > available:
                raise refusal(Allowance(policy=policy, available=max(0, available)))

    def _take(self, policy: Policy, amount: int) -> None:
        if policy.quota and amount:
            self._counts.take(self._owner, policy, amount)
