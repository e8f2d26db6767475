"""What the tests of this room make and measure."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.separation.weights.store import WeightsStore

RATE = 44100


def make_store(folder: Path, **options: Any) -> WeightsStore:
    places: dict[str, Any] = {"hub_cache": folder / "hub", "torch_hub": folder / "torch"}
    return WeightsStore(folder / "models", **{**places, **options})


def make_noise(n_samples: int, *, n_channels: int = 2, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal((n_channels, n_samples))).astype(np.float32)


def level_db(samples: NDArray[np.floating]) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-30))


def snr_db(reference: NDArray[np.floating], estimate: NDArray[np.floating]) -> float:
    return level_db(reference) - level_db(reference.astype(np.float64) - estimate)
