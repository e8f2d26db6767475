"""Input of every analysis: a mono signal and its mel filters.

Conventions: ``mono`` is float32 of shape ``(n_samples,)`` at 22,050 Hz, in blocks
(`core.analysis.spectra`).
"""

import math

import numpy as np
from numpy.typing import NDArray

Mono = NDArray[np.float32]
SILENCE_PEAK = 1e-5
"""Peak below which a signal counts as silent (−100 dBFS)."""


def to_mono(samples: NDArray[np.float32]) -> Mono:
    """Mix ``(n_channels, n_samples)`` down to the mean of the channels, ``(n_samples,)``."""
    mono: Mono = np.full(len(samples), 1 / len(samples), dtype=np.float32) @ samples
    return mono


def mel_filters(
    sample_rate: int, n_fft: int, n_bands: int, *, top_hz: float = math.inf
) -> NDArray[np.float32]:
    """Return triangular filters, ``(n_bands, n_fft // 2 + 1)``, evenly spaced in mel.

    They reach up to ``top_hz``, or to half of the sample rate where that is lower. Each sums to 1,
    so that a band is a mean. A band narrower than a bin takes the nearest bin.

    Reference: O'Shaughnessy, *Speech Communication*, 1987 (``2595 log10(1 + f / 700)``).
    """
    top = 2595 * np.log10(1 + min(top_hz, sample_rate / 2) / 700)
    edges_hz = 700 * (10 ** (np.linspace(0, top, n_bands + 2) / 2595) - 1)
    bins_hz = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    rising = (bins_hz - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    falling = (edges_hz[2:, None] - bins_hz) / np.diff(edges_hz)[1:, None]
    filters = np.maximum(0, np.minimum(rising, falling))
    for band in np.flatnonzero(filters.sum(axis=1) == 0):
        filters[band, np.abs(bins_hz - edges_hz[band + 1]).argmin()] = 1
    normalised: NDArray[np.float32] = filters / filters.sum(axis=1, keepdims=True)
    return normalised.astype(np.float32)
