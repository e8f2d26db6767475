"""One experiment on an installation: its jobs, and the same jobs undisturbed."""

import random
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bench.promises import (
    Artefacts,
    FinishedStages,
    Sources,
    Verdict,
    artefacts,
    check,
    manifests,
    sources,
)
from bench.served import PATIENCE_S, POLL_S, STAGE, Served, Unmet, served, wait_for
from core.artifacts.hashing import hash_file
from core.audio.writing.encode import Encoder
from core.jobs.progress import ProgressLog
from stemcrate.client import ApiError, ApiUnreachable, UnexpectedAnswer
from stemcrate.schemas.manifest import JobState, StageState
from stemcrate.schemas.search import MAX_LIMIT, TrackQuery

SAMPLE_RATE = 48000
FORMATS = ("wav", "mp3", "m4a", "opus")
Recordings = tuple[Path, ...]
LONG_POLL_S = 0.5


class Trial:
    """The jobs of one experiment.

    Parameters
    ----------
    jobs : the recordings of each job.
    options : of every job.
    rng : for random moments.
    """

    def __init__(
        self,
        installation: Served,
        jobs: Sequence[Recordings],
        options: dict[str, str],
        rng: random.Random,
    ) -> None:
        self.served = installation
        self.jobs = jobs
        self.rng = rng
        self.verdict = Verdict()
        self.finished = FinishedStages(installation.store)
        self.accepted: list[str] = []
        self._options = options

    def submit(self, job: Recordings) -> str | None:
        """Submit a job; return its id, None unless the API accepted it."""
        try:
            receipt = self.served.client.submit_job(job, self._options)
        except (ApiError, ApiUnreachable, UnexpectedAnswer):
            return None
        self.accepted.append(receipt.job_id)
        return receipt.job_id

    def submit_patiently(self, job: Recordings) -> str:
        """Submit a job as often as it takes; return its id."""
        deadline = time.monotonic() + PATIENCE_S
        while (job_id := self.submit(job)) is None:
            if time.monotonic() > deadline:
                raise Unmet("the API accepts no job")
            time.sleep(POLL_S)
        return job_id

    @contextmanager
    def submitting(self) -> Iterator[threading.Semaphore]:
        """Submit the jobs, in a thread, one for each release of the semaphore that is yielded."""
        due = threading.Semaphore(0)
        thread = threading.Thread(target=self._submit_all, args=(due,), daemon=True)
        thread.start()
        yield due
        thread.join(PATIENCE_S)

    def _submit_all(self, due: threading.Semaphore) -> None:
        for job in self.jobs:
            due.acquire()
            self.submit_patiently(job)

    def wait_for_chunks(self, job_id: str, attempt: int) -> None:
        """Wait until an attempt at a separation has added to the chunks that it found."""

        def n_kept() -> int:
            record = self.served.store.load(job_id).stage(STAGE, 0)
            if record.state.is_final:
                raise Unmet(f"the separation is {record.state} before attempt {attempt} got far")
            return self.served.kept(job_id, attempt)

        wait_for(f"attempt {attempt} separates", n_kept)
        n_found = n_kept()
        wait_for(f"attempt {attempt} gets further", lambda: n_kept() > n_found)

    def wait_for_work(self) -> None:
        """Wait until any stage runs."""
        wait_for("a stage runs", self._is_at_work)

    def _is_at_work(self) -> bool:
        return any(
            stage.state == StageState.RUNNING
            for manifest in manifests(self.served.store)
            for stage in manifest.all_stages()
        )

    def disturbed(self) -> None:
        """Count a disturbance, and look at what it left."""
        self.verdict.n_disturbances += 1
        self.finished.look()

    def wait_for_end(self) -> None:
        """Wait until all jobs have ended, for as long as anything changes."""
        store = self.served.store
        before: list[int | None] = []
        changed_at = time.monotonic()
        while not self._is_over() and time.monotonic() - changed_at < PATIENCE_S:
            time.sleep(LONG_POLL_S)
            if (now := [store.written_at(job_id) for job_id in store.job_ids()]) != before:
                before, changed_at = now, time.monotonic()
        self.finished.look()

    def retry_failed(self, code: str) -> None:
        """Try again the jobs that failed for this reason alone, and wait for their end."""
        for manifest in manifests(self.served.store):
            failed = Counter(track.error.code for track in manifest.tracks if track.error)
            if set(failed) == {code}:
                self.verdict.failed += failed
                self.verdict.n_retried += 1
                self.served.client.retry_job(manifest.job_id)
        self.wait_for_end()

    def conclude(self, expected: dict[Sources, Artefacts]) -> None:
        """Check what became of the jobs; ``expected`` is what they give undisturbed."""
        if len(self.accepted) < len(self.jobs):
            self.verdict.faults.append(f"{len(self.jobs) - len(self.accepted)} were not accepted")
        try:
            wait_for("every completed track is in the library", self._is_in_library)
        except Unmet as unmet:
            self.verdict.faults.append(str(unmet))
        log = ProgressLog(self.served.url)
        check(self.served.store, log, self.accepted, self.finished, expected, self.verdict)

    def _is_in_library(self) -> bool:
        query = TrackQuery(limit=MAX_LIMIT)
        known = {track.id for track in self.served.client.list_tracks(query).tracks}
        return all(
            track.source.sha256 in known
            for manifest in manifests(self.served.store)
            for track in manifest.tracks
            if track.state == JobState.COMPLETED
        )

    def _is_over(self) -> bool:
        return all(manifest.state.is_final for manifest in manifests(self.served.store))


def undisturbed(
    jobs: Collection[Recordings], options: dict[str, str], data_dir: Path
) -> dict[Sources, Artefacts]:
    """Return what jobs give when nothing happens; what is in the folder is not done again."""
    with served(data_dir) as installation:
        known = {sources(manifest) for manifest in manifests(installation.store)}
        missing = [job for job in jobs if tuple(hash_file(path)[0] for path in job) not in known]
        if missing:
            trial = Trial(installation, missing, options, random.Random())
            installation.start()
            for job in missing:
                trial.submit_patiently(job)
            trial.wait_for_end()
            installation.stop()
        return {
            sources(manifest): artefacts(manifest) for manifest in manifests(installation.store)
        }


def write_recording(path: Path, seconds: float, seed: int) -> Path:
    """Write a recording of chords, a kick and noise, unless it is there; its suffix is its format.

    32 bits per sample in WAV; stereo at 48 kHz.
    """
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    notes_hz = 110 * 2 ** (rng.integers(0, 24, 3) / 12)
    time_s = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    kick = np.sin(2 * np.pi * 60 * time_s) * np.exp(-12 * (time_s % 0.5))
    tones = 0.1 * np.sin(2 * np.pi * notes_hz.round()[:, None] * time_s).sum(axis=0)
    with Encoder(
        path, format=path.suffix[1:], bit_depth="32f", sample_rate=SAMPLE_RATE, n_channels=2
    ) as encoder:
        for _ in range(int(seconds)):
            noise = 0.02 * rng.standard_normal((2, SAMPLE_RATE))
            encoder.write((0.3 * (kick + tones) + noise).astype(np.float32))
    return path
