"""Compares an ended job with its manifest: the bytes of its files, and the sum of its stems."""

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.artifacts.hashing import hash_file
from core.artifacts.store import JobStore
from core.audio.buffer import Samples
from core.audio.reading.decode import read_blocks
from core.audio.writing.encode import is_pcm
from core.errors import InvalidAudio, JobNotFinished
from stemcrate.schemas.manifest import Artefact, JobState, ProcessingManifest, TrackRecord
from stemcrate.schemas.verification import Replay, SumCheck, Verification

BLOCK_SAMPLES = 1 << 18
FLOAT_ERROR = 1e-6
"""Of sums of 32-bit float stems, relative to full scale."""
DITHERED_BITS = 16


def verify_job(
    store: JobStore, job_id: str, *, progress: Callable[[float], None] = lambda _: None
) -> Verification:
    """Hash every artefact of an ended job, and sum its stems again.

    Raises `JobNotFound`, `JobNotFinished`.
    """
    manifest = store.load(job_id)
    if not manifest.state.is_final:
        raise JobNotFinished(f"Job '{job_id}' is {manifest.state}.", hint="Wait for its end.")
    found = Verification(job_id=job_id, n_files=0, n_bytes=0, missing=[], changed=[], sums=[])
    stored = [a for a in manifest.all_artefacts() if a.same_as is None]
    n_steps = len(stored) + len(manifest.tracks)
    for n, artefact in enumerate(stored, start=1):
        _verify_file(store.fetch(store.artefact_path(job_id, artefact)), artefact, found)
        progress(n / n_steps)
    for n, track in enumerate(manifest.tracks, start=len(stored) + 1):
        if track.state == JobState.COMPLETED:
            broken = {*found.missing, *found.changed}
            found.sums.append(_check_sum(store, manifest, track, broken))
        progress(n / n_steps)
    return found


def _verify_file(path: Path, artefact: Artefact, found: Verification) -> None:
    try:
        sha256, n_bytes = hash_file(path)
    except FileNotFoundError:
        found.missing.append(artefact.name)
        return
    found.n_files += 1
    found.n_bytes += n_bytes
    if (sha256, n_bytes) != (artefact.sha256, artefact.bytes):
        found.changed.append(artefact.name)


def _check_sum(
    store: JobStore, manifest: ProcessingManifest, track: TrackRecord, broken: set[str]
) -> SumCheck:
    stems = [artefact for artefact in track.artefacts if artefact.role == "stem"]
    source = store.upload_path(track.source.sha256)
    reason = _incomparable(manifest, track, stems, source, broken)
    difference = None
    if reason is None:
        paths = [store.fetch(store.artefact_path(manifest.job_id, stem)) for stem in stems]
        try:
            difference = _difference(source, paths, 10 ** ((stems[0].gain_db or 0.0) / 20))
        except InvalidAudio as error:
            reason = str(error)
    return SumCheck(
        track_index=track.index,
        name=track.source.name,
        difference=difference,
        allowed=None if difference is None else _allowed(stems[0]),
        reason=reason,
    )


def _incomparable(
    manifest: ProcessingManifest,
    track: TrackRecord,
    stems: Sequence[Artefact],
    source: Path,
    broken: set[str],
) -> str | None:
    """Return why stems do not have to sum to the recording; None if they do."""
    options = manifest.options
    if not stems:
        return "The job delivered no stems."
    if any(stem.stored_as in broken for stem in stems):
        return "Files of stems are missing or changed."
    if not source.is_file():
        return "The uploaded file was deleted."
    if options.residual == "off":
        return "residual=off leaves the residual out."
    if any(stem.bit_depth is None for stem in stems):
        return f"{stems[0].format} is lossy."
    if len({stem.gain_db for stem in stems}) > 1:
        return "Each stem has a gain of its own."
    if any(stem.sample_rate != track.source.sample_rate for stem in stems):
        return "The stems have another sample rate than the recording."
    if options.clipping == "clamp":
        return "clipping=clamp cuts off what exceeds full scale."
    return None


def _allowed(stem: Artefact) -> float:
    """Return the error of rounding to a stem's format, where 1 is full scale."""
    if stem.bit_depth is None or not is_pcm(stem.format, stem.bit_depth):
        return FLOAT_ERROR
    bits = int(stem.bit_depth)
    # The mixture is rounded once, and dithered before by up to one step in 16 bits.
    n_steps = 2.0 if bits == DITHERED_BITS else 1.0
    return max(n_steps / (1 << (bits - 1)), FLOAT_ERROR)


def _difference(source: Path, stems: Sequence[Path], gain: float) -> float:
    """Return the largest difference of a sample; infinite where lengths differ.

    Raises `InvalidAudio`.
    """
    largest = 0.0
    with ExitStack() as stack:
        mixture, *parts = (
            stack.enter_context(closing(_in_blocks(path))) for path in (source, *stems)
        )
        for original in mixture:
            blocks = [block for block in (next(part, None) for part in parts) if block is not None]
            if {block.shape for block in blocks} != {original.shape} or len(blocks) < len(parts):
                return float("inf")
            total = np.sum(blocks, axis=0)
            largest = max(largest, float(np.max(np.abs(original * gain - total), initial=0.0)))
        if any(next(part, None) is not None for part in parts):
            return float("inf")
    return largest


def _in_blocks(path: Path) -> Generator[NDArray[np.float64], None, None]:
    """Yield the samples of a file, ``(n_channels, BLOCK_SAMPLES)`` each but the last."""
    held: list[Samples] = []
    n_held = 0
    for block in read_blocks(path, name=path.name):
        held.append(block)
        n_held += block.shape[1]
        if n_held >= BLOCK_SAMPLES:
            whole = np.concatenate(held, axis=1)
            while whole.shape[1] >= BLOCK_SAMPLES:
                yield whole[:, :BLOCK_SAMPLES].astype(np.float64)
                whole = whole[:, BLOCK_SAMPLES:]
            held, n_held = [whole], whole.shape[1]
    if n_held:
        yield np.concatenate(held, axis=1).astype(np.float64)


def compare_jobs(before: ProcessingManifest, after: ProcessingManifest) -> Replay:
    """Compare the artefacts of two jobs by their names and bytes."""
    old = {artefact.name: artefact.sha256 for artefact in before.all_artefacts()}
    new = {artefact.name: artefact.sha256 for artefact in after.all_artefacts()}
    common = old.keys() & new.keys()
    programs = sorted({*before.software, *after.software})
    return Replay(
        job_id=before.job_id,
        replay_id=after.job_id,
        same=sorted(name for name in common if old[name] == new[name]),
        different=sorted(name for name in common if old[name] != new[name]),
        missing=sorted(old.keys() - new.keys()),
        added=sorted(new.keys() - old.keys()),
        software={
            name: (before.software.get(name), after.software.get(name))
            for name in programs
            if before.software.get(name) != after.software.get(name)
        },
    )
