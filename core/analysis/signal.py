"""What every analysis starts from: a mono signal, its frames, its mel bands.

Conventions: ``mono`` is float32 of shape ``(n_samples,)``; analyses expect 22,050 Hz and work at
other rates, as all lengths are set in seconds and hertz. Frames are centred on their time, with
silence before and after the signal, and are made block by block: no analysis holds a whole
spectrogram.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.signal import get_window

Mono = NDArray[np.float32]
SILENCE_PEAK = 1e-5
"""Peak below which a signal counts as silent (−100 dBFS)."""


def to_mono(samples: NDArray[np.float32]) -> Mono:
    """Mix ``(n_channels, n_samples)`` down to the mean of the channels, ``(n_samples,)``."""
    mono: Mono = np.mean(samples, axis=0, dtype=np.float32)
    return mono


def is_silent(mono: Mono) -> bool:
    """Tell whether a signal is empty or stays below `SILENCE_PEAK` throughout."""
    return not mono.size or float(max(mono.max(), -mono.min())) < SILENCE_PEAK


def power_of_two(length_s: float, sample_rate: int) -> int:
    """Give the power of two nearest to a length in seconds, in samples."""
    return int(2 ** max(1, round(np.log2(length_s * sample_rate))))


def magnitude_blocks(
    mono: Mono, n_fft: int, hop_length: int, *, block_frames: int = 1024
) -> Iterator[NDArray[np.float32]]:
    """Give the magnitude spectrogram in blocks of frames, ``(n_frames, n_fft // 2 + 1)``.

    Frame ``i`` is centred on sample ``i * hop_length``; there are ``1 + n_samples // hop_length``.
    A sine of amplitude 1 has magnitude 1.
    """
    window = get_window("hann", n_fft).astype(np.float32)
    window *= 2 / window.sum()
    n_frames = 1 + len(mono) // hop_length
    for first in range(0, n_frames, block_frames):
        last = min(first + block_frames, n_frames)
        start = first * hop_length - n_fft // 2
        stop = (last - 1) * hop_length - n_fft // 2 + n_fft
        inside = mono[max(0, start) : max(0, stop)]
        padded = np.pad(inside, (max(0, -start), max(0, stop - len(mono))))
        frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop_length]
        yield np.abs(fft.rfft(frames * window))


def mel_filters(sample_rate: int, n_fft: int, n_bands: int) -> NDArray[np.float32]:
    """Give triangular filters, ``(n_bands, n_fft // 2 + 1)``, evenly spaced in mel.

    Each sums to 1, so that a band is a mean. Bands narrower than a bin take the nearest one.

    Reference: O'Shaughnessy, *Speech Communication*, 1987 (``2595 log10(1 + f / 700)``).
    """
    top = 2595 * np.log10(1 + sample_rate / 2 / 700)
    edges_hz = 700 * (10 ** (np.linspace(0, top, n_bands + 2) / 2595) - 1)
    bins_hz = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    rising = (bins_hz - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    falling = (edges_hz[2:, None] - bins_hz) / np.diff(edges_hz)[1:, None]
    filters = np.maximum(0, np.minimum(rising, falling))
    for band in np.flatnonzero(filters.sum(axis=1) == 0):
        filters[band, np.abs(bins_hz - edges_hz[band + 1]).argmin()] = 1
    normalised: NDArray[np.float32] = filters / filters.sum(axis=1, keepdims=True)
    return normalised.astype(np.float32)
