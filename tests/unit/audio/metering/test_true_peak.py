"""The peak between the samples: what is ruled out unseen must never hold it."""

from typing import Any

import numpy as np
import pytest

from core.audio.metering.true_peak import TruePeakMeter, interpolation_taps


def full_peak(samples: np.ndarray, factor: int) -> float:
    """Interpolate every point and look at all of them."""
    peak = np.abs(samples).max()
    for channel in samples.astype(np.float64):
        for taps in interpolation_taps(factor):
            peak = max(peak, np.abs(np.convolve(channel, taps[::-1])).max())
    return float(peak)


def measured(samples: np.ndarray, rate: int, size: int) -> float:
    meter = TruePeakMeter(rate, len(samples))
    for start in range(0, samples.shape[1], size):
        meter.add(samples[:, start : start + size])
    return meter.value()


def signals() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    time = np.arange(30_000) / 44_100
    white = rng.normal(size=(2, 30_000))
    music = np.sin(2 * np.pi * 110 * time) * np.exp(-(time % 0.25) * 9) + 0.02 * white
    late = np.zeros((2, 30_000))
    late[1, -1] = 1
    return {
        "white": white * 0.2,
        "clipped": np.clip(white, -1, 1),
        "alternating": np.where(rng.random((2, 30_000)) < 0.5, -1.0, 1.0),
        "music": music,
        "highest frequency": np.stack([np.sin(2 * np.pi * 21_000 * time)] * 2),
        "one sample": late,
        "worst case": np.tile(np.sign(interpolation_taps(4)[1]), (2, 900)),
    }


@pytest.mark.parametrize("name", signals())
@pytest.mark.parametrize(("rate", "factor"), [(44_100, 4), (96_000, 2)])
def test_skipping_changes_nothing(name: Any, rate: int, factor: int) -> None:
    """A bound that is too tight skips the very cell that holds the peak."""
    samples = signals()[name].astype(np.float32)
    expected = pytest.approx(full_peak(samples, factor), rel=1e-5)
    for size in (777, 30_000):
        assert measured(samples, rate, size) == expected


@pytest.mark.parametrize("n_samples", range(1, 70, 7))
def test_short_recordings_are_seen_whole(n_samples: int) -> None:
    """Fewer samples than taps, or than a cell, still have a peak; so has the last sample."""
    samples = np.random.default_rng(n_samples).normal(size=(1, n_samples)).astype(np.float32)
    expected = pytest.approx(full_peak(samples, 4), rel=1e-5)
    assert measured(samples, 48_000, 1) == expected
    assert measured(samples, 48_000, n_samples) == expected


def test_above_192_khz_the_samples_are_the_peak() -> None:
    """BS.1770-4 asks for 192 kHz, which is there already."""
    samples = np.array([[0.5, 0.5, -0.7]], dtype=np.float32)
    assert measured(samples, 192_000, 3) == pytest.approx(0.7)


def test_silence_and_nothing_peak_at_zero() -> None:
    """The bound 0 must not be divided by."""
    assert TruePeakMeter(44_100, 2).value() == 0
    assert measured(np.zeros((2, 1000), np.float32), 44_100, 100) == 0
