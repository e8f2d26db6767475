"""HTDemucs at its released size with seeded random weights, which do not affect the cost.

Ours is the code of a job (`core.separation`), theirs ``demucs.apply.apply_model`` with the defaults
of the ``demucs`` command: one pass at a random offset, segments of 7.8 s that overlap by a quarter.
"""

import json
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from demucs.apply import BagOfModels, apply_model  # noqa: TID251
from demucs.htdemucs import HTDemucs  # noqa: TID251

from bench.report import wall_ratio
from core.jobs.timing import EtaEstimator
from core.separation.models.base import SeparatorModel
from core.separation.models.factory import SeparatorFactory
from core.separation.streaming.allocator import freed_memory_kept
from tests.models import write_network

SAMPLE_RATE = 44100
STEMS = ("drums", "bass", "other", "vocals")
SHORT_S = 7.8
# Both run three segments: demucs starts no redundant one at this length.
EVEN_S = 14.0


def make_network(seed: int) -> Any:
    """Make the network of ``955717e8`` (41,984,456 weights), random."""
    torch.manual_seed(seed)
    network = HTDemucs(
        sources=list(STEMS),
        audio_channels=2,
        channels=48,
        growth=2,
        nfft=4096,
        depth=4,
        dconv_mode=3,
        bottom_channels=512,
        t_layers=5,
        t_heads=8,
        t_hidden_scale=4,
        t_dropout=0.02,
        samplerate=SAMPLE_RATE,
        segment=Fraction(39, 5),
    )
    with torch.no_grad():
        for name, values in network.named_parameters():
            if name.endswith(".scale"):  # as in training, where the branches start near zero
                values.fill_(0.1)
    return network.eval()


def load_pair(folder: Path, seeds: Sequence[int]) -> tuple[Any, SeparatorModel]:
    """Make a bag with one network per stem (one seed: one network), for demucs and for us."""
    theirs = write_bag(folder, "htdemucs", seeds)
    ours = SeparatorFactory.create("htdemucs", device="cpu", model_dir=folder)
    return theirs, ours


def write_bag(folder: Path, name: str, seeds: Sequence[int]) -> Any:
    """Write such a bag into a folder that serves as MODEL_DIR; return it for demucs."""
    networks = [make_network(seed) for seed in seeds]
    identity = np.eye(len(STEMS)).tolist() if len(seeds) > 1 else None
    home = folder / name
    home.mkdir(parents=True)
    signatures = [f"bench{seed}" for seed in seeds]
    for signature, network in zip(signatures, networks, strict=True):
        write_network(home, signature, network, layout="hub")
    bag = {"models": signatures} | ({"weights": identity} if identity else {})
    (home / f"{name}.yaml").write_text(json.dumps(bag))
    return BagOfModels(networks, identity)


def run_theirs(bag: Any, mixture: np.ndarray, *, shifts: int = 1) -> np.ndarray:
    """Separate as the command does; ``shifts=0`` disables the random offset."""
    samples = torch.from_numpy(mixture)
    mono = samples.mean(0)
    scaled = (samples - mono.mean()) / (mono.std() + 1e-8)
    with torch.no_grad():
        stems = apply_model(bag, scaled[None], shifts=shifts, split=True, overlap=0.25)[0]
    return (stems * (mono.std() + 1e-8) + mono.mean()).numpy()


def run_ours(model: SeparatorModel, mixture: np.ndarray, **options: Any) -> dict[str, np.ndarray]:
    with freed_memory_kept():
        return model.separate(mixture, SAMPLE_RATE, **options)


def make_mixture(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(0, 0.1, (2, round(seconds * SAMPLE_RATE))).astype(np.float32)


def snr_db(reference: np.ndarray, estimate: np.ndarray) -> float:
    error = np.sum(np.square(reference - estimate, dtype=np.float64))
    return float(10 * np.log10(np.sum(np.square(reference, dtype=np.float64)) / error))


def measure_balanced(folder: Path) -> dict[str, float | str]:
    """Compare four stems of one network, the default of a job."""
    bag, ours = load_pair(folder, (0,))
    mixture, short = make_mixture(EVEN_S), make_mixture(SHORT_S)
    reference = run_theirs(bag, mixture, shifts=0)
    stems = run_ours(ours, mixture)
    even = wall_ratio(lambda: run_theirs(bag, mixture), lambda: run_ours(ours, mixture), repeats=7)
    clip = wall_ratio(lambda: run_theirs(bag, short), lambda: run_ours(ours, short), repeats=5)
    return {
        "snr_db": snr_db(reference, np.stack([stems[stem] for stem in STEMS])),
        "demucs_s": even[0],
        "balanced_s": even[1],
        "speedup_balanced": even[2],
        "speedup_short_clip": clip[2],
        "eta_error_percent": measure_eta_error(ours, make_mixture(90)),
    }


def measure_demucs_infer(_: Path) -> dict[str, float | str]:
    """Compare with demucs-infer on the same weights, if installed."""
    try:
        from demucs_infer.apply import BagOfModels as TheirBag
        from demucs_infer.apply import apply_model as their_apply_model
        from demucs_infer.htdemucs import HTDemucs as TheirNetwork
    except ImportError:
        return {"speedup_demucs_infer": "not installed"}
    with TemporaryDirectory() as folder:
        bag, ours = load_pair(Path(folder), (0,))
    (network,) = bag.models
    args, kwargs = network._init_args_kwargs
    their_network = TheirNetwork(*args, **kwargs).eval()
    their_network.load_state_dict(network.state_dict())
    their_bag = TheirBag([their_network])
    mixture = make_mixture(EVEN_S)

    def run_infer() -> None:
        with torch.no_grad():
            their_apply_model(their_bag, torch.from_numpy(mixture)[None], shifts=1, overlap=0.25)

    ratio = wall_ratio(run_infer, lambda: run_ours(ours, mixture), repeats=3)
    return {"speedup_demucs_infer": ratio[2]}


def measure_single_stem(folder: Path) -> dict[str, float | str]:
    """Compare the vocals alone of a bag of four networks (``--two-stems vocals``)."""
    bag, ours = load_pair(folder, range(4))
    mixture = make_mixture(EVEN_S)
    ratio = wall_ratio(
        lambda: run_theirs(bag, mixture),
        lambda: run_ours(ours, mixture, stems=["vocals"]),
        repeats=3,
    )
    return {"speedup_single_stem": ratio[2]}


def measure_compiled(folder: Path) -> dict[str, float | str]:
    """Compare as `measure_balanced`, with compiled layers; compiling them takes minutes."""
    bag, ours = load_pair(folder, (0,))
    ours.compile(folder / "compiled")
    mixture = make_mixture(EVEN_S)
    began = time.perf_counter()
    run_ours(ours, make_mixture(SHORT_S))
    compile_s = time.perf_counter() - began
    reference = run_theirs(bag, mixture, shifts=0)
    stems = run_ours(ours, mixture)
    ratio = wall_ratio(lambda: run_theirs(bag, mixture), lambda: run_ours(ours, mixture), repeats=7)
    return {
        "compile_s": compile_s,
        "snr_compiled_db": snr_db(reference, np.stack([stems[stem] for stem in STEMS])),
        "speedup_compiled": ratio[2],
    }


def measure_eta_error(model: SeparatorModel, mixture: np.ndarray) -> float:
    """Return the error of the estimated time left after the first tenth, in percent."""
    estimator, told = EtaEstimator(), []

    def report(fraction: float) -> None:
        told.append((fraction, estimator.eta_s(fraction), time.perf_counter()))

    run_ours(model, mixture, progress=report)
    end = time.perf_counter()
    eta_s, moment = next((eta, at) for part, eta, at in told if part >= 0.1 and eta is not None)
    return 100 * abs(eta_s / (end - moment) - 1)
