"""Jobs whose stems are given, without a separation, and renders of them in this process."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from core.artifacts.hashing import hash_file
from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.rendering.file import Finished
from core.rendering.plan import RenderPlan
from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.manifest import (
    Artefact,
    JobState,
    ProcessingManifest,
    SourceRecord,
    TrackRecord,
)

RATE = 44_100
Stems = Mapping[str, NDArray[np.floating]]
SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}


@dataclass(frozen=True)
class GivenTrack:
    """Stems ``(n_channels, n)`` and facts of a track."""

    stems: Stems
    facts: JobFacts = dataclasses.field(default_factory=JobFacts)
    bit_depth: str = "32f"
    format: str = "wav"
    name: str = "Band - Song.wav"
    sample_rate: int = RATE


def make_job(store: JobStore, *tracks: GivenTrack) -> str:
    """Put a completed job with these stems into a store; give its id."""
    job_id = new_job_id()
    store.create(
        ProcessingManifest(
            job_id=job_id,
            state=JobState.COMPLETED,
            created_at=datetime.now(UTC),
            finished_at=datetime.now(UTC),
            tracks=[_make_track(store, job_id, i, track) for i, track in enumerate(tracks)],
        )
    )
    return job_id


def _make_track(store: JobStore, job_id: str, index: int, track: GivenTrack) -> TrackRecord:
    folder = store.job_folder(job_id) / f"{index + 1:02d}"
    folder.mkdir(parents=True)
    artefacts = []
    n_samples = max((s.shape[1] for s in track.stems.values()), default=RATE)
    for label, samples in track.stems.items():
        path = folder / f"{label}.{track.format}"
        subtype = SUBTYPES[track.bit_depth] if track.format != "mp3" else None
        soundfile.write(path, samples.T, track.sample_rate, subtype=subtype)
        sha256, n_bytes = hash_file(path)
        artefacts.append(
            Artefact(
                name=f"{folder.name}/{path.name}",
                role="stem",
                label=label,
                stage="delivery",
                format=track.format,
                sha256=sha256,
                bytes=n_bytes,
                bit_depth=track.bit_depth if track.format != "mp3" else None,
            )
        )
    source = SourceRecord(
        name=track.name,
        sha256=f"{index:x}" * 64,
        bytes=1,
        duration_s=n_samples / track.sample_rate,
        sample_rate=track.sample_rate,
    )
    return TrackRecord(
        index=index,
        source=source,
        state=JobState.COMPLETED,
        artefacts=artefacts,
        analysis=track.facts,
    )


@dataclass(frozen=True)
class Rendered:
    """What a render gave."""

    samples: NDArray[np.float64]
    sample_rate: int
    finished: Finished
    steps: list[float]


def render(plan: RenderPlan, work: Path) -> Rendered:
    """Carry out a plan in this process."""
    work.mkdir(parents=True, exist_ok=True)
    *steps, finished = plan.render(work)
    assert isinstance(finished, Finished)
    samples, rate = soundfile.read(finished.path, always_2d=True)
    return Rendered(samples.T, rate, finished, [s for s in steps if isinstance(s, float)])
