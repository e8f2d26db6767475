"""Another rate, the same place and level."""

from collections.abc import Callable

import numpy as np
import pytest

from core.audio.resample import StreamResampler, resample, resampled_length


def test_there_and_back_nulls_within_the_band(noise: Callable[..., np.ndarray]) -> None:
    """A stem that comes back from a model's rate late by a sample doesn't null."""
    samples = noise(48_000, 2, 48_000)
    back = resample(resample(samples, 48_000, 44_100), 44_100, 48_000, n_samples=48_000)
    assert back.shape == samples.shape
    inner = slice(500, -500)
    assert np.abs(back - samples)[:, inner].max() < 1e-5


@pytest.mark.parametrize(
    ("from_rate", "to_rate"), [(44_100, 48_000), (96_000, 44_100), (8000, 44_100)]
)
def test_streaming_gives_the_same_samples(
    noise: Callable[..., np.ndarray], from_rate: int, to_rate: int
) -> None:
    samples = noise(20_011)
    whole = resample(samples, from_rate, to_rate)
    stream = StreamResampler(from_rate, to_rate, 2)
    parts = [stream.add(samples[:, i : i + 777]) for i in range(0, 20_011, 777)]
    streamed = np.concatenate([*parts, stream.flush()], axis=1)
    assert streamed.shape == whole.shape
    np.testing.assert_allclose(streamed, whole, atol=1e-6)


@pytest.mark.parametrize("n_samples", [0, 1, 5])
def test_short_input_has_the_promised_length(n_samples: int) -> None:
    samples = np.ones((1, n_samples), dtype=np.float32)
    expected = resampled_length(n_samples, 44_100, 48_000)
    assert resample(samples, 44_100, 48_000).shape == (1, expected)
    assert resample(samples, 44_100, 48_000, n_samples=100).shape == (1, 100)


def test_equal_rates_give_a_copy(noise: Callable[..., np.ndarray]) -> None:
    samples = noise(100)
    same = resample(samples, 44_100, 44_100)
    np.testing.assert_array_equal(same, samples)
    assert not np.shares_memory(same, samples)


def test_rates_must_be_positive(noise: Callable[..., np.ndarray]) -> None:
    with pytest.raises(ValueError, match="positive"):
        resample(noise(10), 0, 44_100)
    with pytest.raises(ValueError, match="negative"):
        resample(noise(10), 48_000, 44_100, n_samples=-1)
