"""How much of the disk an owner takes: files of jobs, and uploads that are not complete."""

import threading
import time

from core.artifacts.resumable import ResumableUploads
from core.artifacts.store import JobStore

FRESH_S = 5.0


class Footprint:
    """The bytes of one owner, measured at most every `FRESH_S`. Safe for several threads.

    Files that owners share count for each of them. What running jobs still write is not known
    before they have.
    """

    def __init__(self, store: JobStore, incoming: ResumableUploads) -> None:
        self._store = store
        self._incoming = incoming
        self._lock = threading.Lock()
        self._jobs: dict[str, tuple[int, int]] = {}
        self._measured_at = float("-inf")
        self._n_bytes = 0

    def n_bytes(self) -> int:
        """Return the bytes."""
        with self._lock:
            if time.monotonic() - self._measured_at > FRESH_S:
                self._n_bytes = self._measure()
                self._measured_at = time.monotonic()
            return self._n_bytes

    def _measure(self) -> int:
        known, self._jobs = self._jobs, {}
        for job_id, written_ns in self._store.listed().items():
            same = known.get(job_id)
            n_bytes = same[1] if same and same[0] == written_ns else self._size_of(job_id)
            self._jobs[job_id] = (written_ns, n_bytes)
        return sum(n for _, n in self._jobs.values()) + self._incoming.n_bytes()

    def _size_of(self, job_id: str) -> int:
        manifest = self._store.load_if_readable(job_id)
        if manifest is None:
            return 0
        made = sum(file.bytes for file in manifest.all_artefacts() if file.same_as is None)
        return made + sum(track.source.bytes for track in manifest.tracks)
