"""What a render is made of: files of jobs, found by their manifests.

Nothing here opens audio.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.artifacts.store import JobStore
from core.errors import ArtefactNotFound, InvalidOption, JobNotFinished
from core.library.corrections.jobs import correct_track
from core.library.corrections.record import CorrectionStore
from stemcrate.schemas.manifest import Artefact, TrackRecord

PERCUSSIVE = frozenset(
    {
        "drums",
        "percussion",
        "percussive",
        "kick",
        "snare",
        "toms",
        "hihat",
        "hh",
        "cymbals",
        "ride",
        "crash",
    }
)
"""Stems and parts without pitch, which keep theirs when a mix is transposed."""

AUDIBLE = ("stem", "composite", "harmonic_percussive")
"""Roles of the outputs that are audio."""


@dataclass(frozen=True, slots=True)
class LaneFile:
    """A file that is mixed.

    ``bit_depth`` is None for lossy formats and unknown files, ``gain_db`` the gain that the file
    was delivered with, ``n_bytes`` its size then.
    """

    label: str
    path: Path
    sha256: str
    format: str
    bit_depth: str | None
    is_percussive: bool = False
    gain_db: float = 0.0
    n_bytes: int | None = None


def find_job_track(store: JobStore, job_id: str, index: int) -> TrackRecord:
    """Return an ended track of a job, with its corrections by hand.

    Raises
    ------
    JobNotFound : there is no such job.
    InvalidOption : the job has no such track.
    JobNotFinished : the track is not ready.
    """
    manifest = store.load(job_id)
    if index >= len(manifest.tracks):
        raise InvalidOption(
            f"Job '{job_id}' has {len(manifest.tracks)} tracks, so none with the index {index}.",
            hint="The first track has the index 0.",
            field="track_index",
        )
    track = manifest.tracks[index]
    if not track.state.is_final:
        raise JobNotFinished(
            f"'{track.source.name}' is {track.state}.", hint="Wait until it is completed."
        )
    return correct_track(track, CorrectionStore(store.storage, manifest.owner).read)


def find_outputs(store: JobStore, job_id: str, track: TrackRecord) -> dict[str, LaneFile]:
    """Return the audio outputs of a job's track by label, stems first.

    Raises `ArtefactNotFound` if there are none; see `require_files` for files that are gone.
    """
    found = [a for a in track.artefacts if a.role in AUDIBLE]
    if not any(a.role == "stem" for a in found):
        raise ArtefactNotFound(
            f"Job '{job_id}' delivered no stems of '{track.source.name}'.",
            hint="Separate the track: POST /process.",
        )
    found.sort(key=lambda artefact: AUDIBLE.index(artefact.role))
    percussive = percussive_labels(track)
    return {
        a.label: _lane_file(store.artefact_path(job_id, a), a, a.label in percussive) for a in found
    }


def percussive_labels(track: TrackRecord) -> set[str]:
    """Return the labels of outputs without pitch: also of sums of nothing else."""
    results = [s.result for s in track.stages if (s.name, s.state) == ("composite", "completed")]
    sums = results[0].get("sums", {}) if results else {}
    mixed = {label for label, sources in sums.items() if PERCUSSIVE.issuperset(sources)}
    return mixed.union(PERCUSSIVE)


def stem_labels(track: TrackRecord) -> list[str]:
    """Return the labels of a track's stems."""
    return [artefact.label for artefact in track.artefacts if artefact.role == "stem"]


def require_files(store: JobStore, files: Sequence[LaneFile]) -> None:
    """Fetch files that are not on this host.

    Raises `ArtefactNotFound` if one no longer exists, or not as it was delivered.
    """
    for file in files:
        try:
            n_bytes = store.fetch(file.path).stat().st_size
        except FileNotFoundError:
            n_bytes = -1
        if n_bytes < 0 or file.n_bytes not in (None, n_bytes):
            state = "no longer exists" if n_bytes < 0 else "has changed since it was delivered"
            raise ArtefactNotFound(
                f"The file of '{file.label}' {state}.",
                hint="Run the job again to recreate it.",
            )


def _lane_file(path: Path, artefact: Artefact, is_percussive: bool) -> LaneFile:
    return LaneFile(
        label=artefact.label,
        path=path,
        sha256=artefact.sha256,
        format=artefact.format,
        bit_depth=artefact.bit_depth,
        is_percussive=is_percussive,
        gain_db=artefact.gain_db or 0.0,
        n_bytes=artefact.bytes,
    )
