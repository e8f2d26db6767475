"""What every model gets from the template, seen through a model whose stems are known."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import JobCancelled, StageFailed
from core.separation.models.base import SeparatorModel
from core.separation.streaming.run import Run
from tests.unit.separation.measure import make_noise, snr_db


class Halves(SeparatorModel):
    """Returns half of the mixture as each stem, which a test can predict."""

    name, sample_rate, residual_stem = "halves", 44100, "other"
    stems: tuple[str, ...] = ("left", "other")
    licence, weights_sha256, device = "MIT", "0" * 64, "cpu"

    def __init__(self, factor: float = 0.5) -> None:
        self.factor = np.float32(factor)
        self.seen: NDArray[Any] | None = None

    def stream_stereo(self, mixture: Any, run: Run) -> Iterator[NDArray[Any]]:
        self.seen = np.concatenate(list(mixture.blocks()), axis=1)
        run.report(0.5)
        for start in range(0, mixture.n_samples, 7000):
            block = mixture.read(start, min(start + 7000, mixture.n_samples)) * self.factor
            yield np.stack([block, block])


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 44100, 48000, 96000])
@pytest.mark.parametrize("n_samples", [0, 1, 2, 999, 20_001])
def test_stems_have_the_mixtures_shape(n_channels: int, rate: int, n_samples: int) -> None:
    mixture = make_noise(n_samples, n_channels=n_channels)
    before = mixture.copy()
    stems = Halves().separate(mixture, rate)
    assert list(stems) == ["left", "other"]
    assert all(samples.shape == mixture.shape for samples in stems.values())
    assert all(samples.dtype == np.float32 for samples in stems.values())
    np.testing.assert_array_equal(mixture, before)


def test_mono_is_seen_as_stereo_and_comes_back_as_mono() -> None:
    mixture = make_noise(500, n_channels=1)
    model = Halves()
    stems = model.separate(mixture, 44100)
    np.testing.assert_array_equal(model.seen, np.repeat(mixture, 2, axis=0))
    np.testing.assert_allclose(stems["left"], mixture / 2, atol=1e-7)


@pytest.mark.parametrize("rate", [48000, 96000])
def test_stems_come_back_in_time_and_at_level(rate: int) -> None:
    """A delay of one sample by resampling would ruin the null test."""
    time = np.arange(rate) / rate
    envelope = np.hanning(rate)
    mixture = np.stack([envelope * np.sin(2 * np.pi * f * time) for f in (440, 5000)])
    stems = Halves().separate(mixture.astype(np.float32), rate)
    assert snr_db(mixture, stems["left"] + stems["other"]) > 80


def test_silence_gives_exact_silence_without_a_run() -> None:
    model, seen = Halves(), []
    stems = model.separate(np.zeros((2, 5000), np.float32), 44100, progress=seen.append)
    assert not any(samples.any() for samples in stems.values())
    assert model.seen is None
    assert seen[-1] == 1.0


def test_cancelled_before_the_start() -> None:
    model = Halves()
    with pytest.raises(JobCancelled):
        model.separate(make_noise(100), 44100, cancelled=lambda: True)
    assert model.seen is None


def test_what_is_not_finite_is_refused() -> None:
    """NaN in a stem would be written as full-scale noise or as a file that no player opens."""
    with pytest.raises(StageFailed, match="halves"):
        Halves(np.nan).separate(make_noise(100), 44100)
    mixture = make_noise(100)
    mixture[0, 7] = np.inf
    with pytest.raises(ValueError, match="finite"):
        Halves().separate(mixture, 44100)


def test_shape_and_rate_are_checked() -> None:
    with pytest.raises(ValueError, match="channels"):
        Halves().separate(make_noise(100, n_channels=3), 44100)
    with pytest.raises(ValueError, match="rate"):
        Halves().separate(make_noise(100), 0)
    with pytest.raises(TypeError):
        Halves().separate(make_noise(100).astype(np.float64), 44100)
