from typing import Any

import numpy as np
import pytest
from scipy.signal import sosfilt

from core.audio.metering.k_weighting import KWeighting, design_k_weighting

RATES = (8_000, 11_025, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000)


def noise_with_offset(n_samples: int) -> np.ndarray:
    """Noise on what the filter takes away, in another amount a channel."""
    noise = np.random.default_rng(3).standard_normal((2, n_samples)) * 0.1
    return (noise + np.array([[0.5], [-0.2]])).astype(np.float32)


@pytest.mark.parametrize("sample_rate", RATES)
def test_products_are_the_filter(sample_rate: int) -> None:
    """The sections from sample to sample in float64 are what the standard describes."""
    samples = noise_with_offset(20_011)
    meter = KWeighting(sample_rate, 2)

    weighted = meter.add(samples)

    assert weighted.dtype == np.float32
    expected = sosfilt(design_k_weighting(sample_rate), samples.astype(np.float64), axis=1)
    np.testing.assert_allclose(weighted, expected, atol=3e-7)


@pytest.mark.parametrize("sizes", [(1,) * 200, (63, 64, 65, 1, 0, 128, 7), (4096, 3)])
def test_how_it_is_cut_changes_nothing(sizes: Any) -> None:
    """The state goes over from blocks to single samples and back."""
    samples = noise_with_offset(sum(sizes))
    meter = KWeighting(44_100, 2)

    parts = [meter.add(part) for part in np.split(samples, np.cumsum(sizes)[:-1], axis=1)]

    whole = KWeighting(44_100, 2).add(samples)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=3e-7)
    assert [part.shape[1] for part in parts] == list(sizes)


def test_silence_stays_silence() -> None:
    """Digital silence has no loudness at all."""
    assert not KWeighting(48_000, 1).add(np.zeros((1, 1000), np.float32)).any()
