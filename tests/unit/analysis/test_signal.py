"""The mono signal, its frames and bands."""

import numpy as np
import pytest

from core.analysis.signal import is_silent, magnitude_blocks, mel_filters, to_mono


def test_mono_is_the_mean_of_the_channels_and_leaves_them_alone():
    samples = np.array([[1, 0, 0.5], [0, -1, 0.5]], dtype=np.float32)
    before = samples.copy()
    np.testing.assert_array_equal(to_mono(samples), [0.5, -0.5, 0.5])
    assert to_mono(samples).dtype == np.float32
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize("n_samples", [1, 511, 512, 5000, 20_000])
def test_blocks_leave_no_seam(n_samples):
    mono = np.random.default_rng(0).normal(size=n_samples).astype(np.float32)
    whole = np.concatenate(list(magnitude_blocks(mono, 1024, 256)))
    parts = np.concatenate(list(magnitude_blocks(mono, 1024, 256, block_frames=7)))
    assert whole.shape == (1 + n_samples // 256, 513)
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_a_sine_of_amplitude_one_has_magnitude_one():
    mono = np.sin(2 * np.pi * 64 / 1024 * np.arange(8192)).astype(np.float32)
    block = next(magnitude_blocks(mono, 1024, 256))
    assert block[8].argmax() == 64
    assert block[8].max() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("sample_rate", "n_fft"), [(22050, 1024), (8000, 256), (44100, 512)])
def test_no_mel_band_is_empty(sample_rate, n_fft):
    filters = mel_filters(sample_rate, n_fft, 40)
    np.testing.assert_allclose(filters.sum(axis=1), 1, rtol=1e-5)


def test_silence_is_empty_or_below_the_threshold():
    assert is_silent(np.zeros(0, dtype=np.float32))
    assert is_silent(np.full(10, -1e-6, dtype=np.float32))
    assert not is_silent(np.array([0, -0.1], dtype=np.float32))
