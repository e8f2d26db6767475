"""The mono signal and its mel bands."""

import numpy as np
import pytest

from core.analysis.signal import mel_filters, to_mono


def test_mono_is_the_mean_of_the_channels_and_leaves_them_alone() -> None:
    """A sum instead of a mean clips; a mix in place changes what the next stage reads."""
    samples = np.array([[1, 0, 0.5], [0, -1, 0.5]], dtype=np.float32)
    before = samples.copy()
    np.testing.assert_array_equal(to_mono(samples), [0.5, -0.5, 0.5])
    assert to_mono(samples).dtype == np.float32
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize(("sample_rate", "n_fft"), [(22050, 1024), (8000, 256), (44100, 512)])
def test_no_mel_band_is_empty(sample_rate: int, n_fft: int) -> None:
    """Bands narrower than a bin fall between bins and hear nothing."""
    filters = mel_filters(sample_rate, n_fft, 40)
    np.testing.assert_allclose(filters.sum(axis=1), 1, rtol=1e-5)
