"""How fast the models are on this installation, as measured in its last jobs."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from statistics import median

from core.artifacts.store import JobStore
from stemcrate.schemas.manifest import JobState, ProcessingManifest, TrackRecord

MAX_JOBS = 30
Setup = tuple[str, str]
"""A model and a preset."""


class Speeds:
    """Reads the manifests of ended jobs, each once."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._measured: dict[str, dict[Setup, list[float]]] = {}

    def realtime_factors(self) -> dict[str, dict[str, float]]:
        """Return seconds of audio per second of work, by model and preset.

        The median over the tracks of the last `MAX_JOBS` jobs whose stages all ran; loading a
        model is included, waiting for a worker is not. Setups that never ran are missing.
        """
        by_setup: dict[Setup, list[float]] = defaultdict(list)
        for measured in self._of_last_jobs():
            for setup, factors in measured.items():
                by_setup[setup] += factors
        found: dict[str, dict[str, float]] = defaultdict(dict)
        for (model, preset), factors in by_setup.items():
            found[model][preset] = round(median(factors), 2)
        return dict(found)

    def _of_last_jobs(self) -> list[dict[Setup, list[float]]]:
        job_ids = self._store.latest_ids(MAX_JOBS)
        with self._lock:
            for job_id in job_ids:
                if job_id not in self._measured:
                    manifest = self._store.load_if_readable(job_id)
                    if manifest is None or manifest.state.is_final:
                        self._measured[job_id] = {} if manifest is None else measure(manifest)
            self._measured = {i: self._measured[i] for i in job_ids if i in self._measured}
            return list(self._measured.values())


def measure(manifest: ProcessingManifest) -> dict[Setup, list[float]]:
    """Return the real-time factor of each measured track of a job."""
    model = manifest.model.name
    if model is None or not manifest.options.separates:
        return {}
    factors = [factor for track in manifest.tracks for factor in _factor(track)]
    return {(model, manifest.options.preset): factors} if factors else {}


def _factor(track: TrackRecord) -> Iterator[float]:
    was_reused = any(stage.cache_hit or stage.attempts > 1 for stage in track.stages)
    duration_s = track.source.duration_s
    seconds = sum(stage.seconds or 0.0 for stage in track.stages)
    if track.state == JobState.COMPLETED and duration_s and seconds and not was_reused:
        yield duration_s / seconds
