"""The picture shows every peak, at its place, whatever the blocks."""

from collections.abc import Callable

import numpy as np
import pytest

from core.audio.metering.waveform import compute_peaks


def test_bins_hold_minimum_maximum_and_rms_of_both_channels(
    noise: Callable[..., np.ndarray],
) -> None:
    samples = noise(10_007)
    picture = compute_peaks([samples], 10_007, 100)
    for k in (0, 37, 99):
        part = samples[:, k * 10_007 // 100 : (k + 1) * 10_007 // 100]
        assert picture.peaks_min[k] == pytest.approx(part.min(), abs=6e-5)
        assert picture.peaks_max[k] == pytest.approx(part.max(), abs=6e-5)
        assert picture.rms[k] == pytest.approx(np.sqrt(np.mean(part**2)), abs=6e-5)


@pytest.mark.parametrize("size", [1, 7, 999, 5000])
def test_the_size_of_the_blocks_changes_nothing(
    noise: Callable[..., np.ndarray], size: int
) -> None:
    samples = noise(5000)
    blocks = [samples[:, i : i + size] for i in range(0, 5000, size)]
    assert compute_peaks(blocks, 5000, 64) == compute_peaks([samples], 5000, 64)


def test_short_recordings_fill_the_picture() -> None:
    samples = np.array([[0.5, -0.25]], dtype=np.float32)
    picture = compute_peaks([samples], 2, 4)
    assert picture.peaks_max == [0.5, 0.5, -0.25, -0.25]
    assert picture.rms == [0.5, 0.5, 0.25, 0.25]


def test_silence_nothing_and_a_missing_end_are_zero() -> None:
    zeros = [0.0] * 10
    for blocks, n_samples in (([np.zeros((2, 100), np.float32)], 100), ([], 100), ([], 0)):
        picture = compute_peaks(blocks, n_samples, 10)
        assert picture.peaks_min == picture.peaks_max == picture.rms == zeros


def test_more_samples_than_announced_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="announced"):
        compute_peaks([np.zeros((1, 11), np.float32)], 10)
    with pytest.raises(ValueError, match="n_bins"):
        compute_peaks([], 10, 0)
