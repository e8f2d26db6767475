"""The waveform for zooming: minimum and maximum a channel, and how much of each pixel is bass,
middle and treble, at every scale from 512 samples a pixel up.

The player draws it, `core.audio.audiowaveform` writes it to files. Bands come from frames of twice
a pixel's length whose windows' squares add up to 1, so that the power of the bands adds up to that
of the signal. Only the bins of bass and middle are computed, as a product with their cosines and
sines; what they leave of the frame's power (Parseval) is treble. For a tenth of the bins that is
faster than a Fourier transform.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import Samples, validate_block

SAMPLES_PER_PIXEL = 512
"""Of the finest level; each next one has twice as many."""
BAND_LIMITS_HZ = (200.0, 2000.0)
"""Between low and mid, and between mid and high."""

_N_FFT = 2 * SAMPLES_PER_PIXEL
_BEFORE = SAMPLES_PER_PIXEL // 2

_Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WaveformLevel:
    """A waveform at one scale; pixel ``i`` begins at sample ``i * samples_per_pixel``.

    Parameters
    ----------
    samples_per_pixel : `SAMPLES_PER_PIXEL` times a power of two.
    low, high : smallest and largest sample, ``(n_channels, n_pixels)``, full scale is ±1.
    band_rms : root mean square below 200 Hz, from there to 2 kHz and above, over all channels,
        ``(n_pixels, 3)``; a sine of amplitude 1 has 0.71.
    """

    samples_per_pixel: int
    low: _Matrix
    high: _Matrix
    band_rms: _Matrix


@dataclass(frozen=True, slots=True)
class WaveformData:
    """A waveform at all scales, the finest first, the last of one pixel; no samples: no levels."""

    sample_rate: int
    n_samples: int
    levels: tuple[WaveformLevel, ...]


def measure_waveform(blocks: Iterable[Samples], sample_rate: int, n_channels: int) -> WaveformData:
    """Measure a recording given as blocks ``(n_channels, n)``; see `WaveformMeter`."""
    meter = WaveformMeter(sample_rate, n_channels)
    for block in blocks:
        meter.add(block)
    return meter.finish()


class WaveformMeter:
    """Measure a waveform block by block; how it is cut into blocks changes nothing.

    Memory grows by 5 floats a pixel in stereo: 19 MB for three hours at 44.1 kHz.
    """

    def __init__(self, sample_rate: int, n_channels: int) -> None:
        self._sample_rate = sample_rate
        self._n_channels = n_channels
        self._n_samples = 0
        # From half a pixel before the next pixel on.
        self._rest = np.zeros((n_channels, _BEFORE), dtype=np.float32)
        self._low: list[_Matrix] = [np.zeros((n_channels, 0), dtype=np.float32)]
        self._high = self._low.copy()
        self._powers: list[_Matrix] = [np.zeros((0, 3), dtype=np.float32)]
        self._low_bins, self._mid_bins = _transforms(sample_rate)
        # Squares of a sample in either half of a frame, over a pixel: its share of the power.
        self._shares = (_window() ** 2).reshape(2, -1).T.astype(np.float32) / SAMPLES_PER_PIXEL

    def add(self, block: Samples) -> None:
        """Take the next samples, float32 ``(n_channels, n)``; any n, none included."""
        validate_block(block, n_channels=self._n_channels)
        self._n_samples += block.shape[1]
        joined = np.concatenate([self._rest, block], axis=1)
        n_pixels = max(0, (joined.shape[1] - _N_FFT) // SAMPLES_PER_PIXEL + 1)
        self._measure(joined, joined, n_pixels)
        self._rest = joined[:, n_pixels * SAMPLES_PER_PIXEL :].copy()

    def finish(self) -> WaveformData:
        """Give the waveform of all that was added; call it once."""
        n_pixels = -(-self._n_samples // SAMPLES_PER_PIXEL) - sum(len(p) for p in self._powers)
        if n_pixels:
            padding = ((0, 0), (0, n_pixels * SAMPLES_PER_PIXEL + _N_FFT))
            # The last pixel may be shorter: its samples are repeated rather than silence drawn.
            self._measure(
                np.pad(self._rest, padding), np.pad(self._rest, padding, "edge"), n_pixels
            )
        levels = []
        low, high = np.concatenate(self._low, axis=1), np.concatenate(self._high, axis=1)
        powers, scale = np.concatenate(self._powers), SAMPLES_PER_PIXEL
        while low.shape[1]:
            levels.append(WaveformLevel(scale, low, high, np.sqrt(powers)))
            if low.shape[1] == 1:
                break
            low, high, powers, scale = *_halve(low, high, powers), 2 * scale
        return WaveformData(self._sample_rate, self._n_samples, tuple(levels))

    def _measure(self, signal: Samples, drawn: Samples, n_pixels: int) -> None:
        if not n_pixels:
            return
        length = n_pixels * SAMPLES_PER_PIXEL
        pixels = drawn[:, _BEFORE : _BEFORE + length].reshape(self._n_channels, n_pixels, -1)
        self._low.append(pixels.min(axis=2))
        self._high.append(pixels.max(axis=2))
        powers = [self._band_powers(channel[: length + SAMPLES_PER_PIXEL]) for channel in signal]
        self._powers.append(np.mean(powers, axis=0, dtype=np.float32))

    def _band_powers(self, channel: NDArray[np.float32]) -> _Matrix:
        """Give the power a band of each frame, ``(n_pixels, 3)``."""
        halves = channel.reshape(-1, SAMPLES_PER_PIXEL)
        low, mid = (_frame_powers(halves, bins) for bins in (self._low_bins, self._mid_bins))
        shares = np.square(halves) @ self._shares
        high = np.maximum(0, shares[:-1, 0] + shares[1:, 1] - low - mid)
        return np.stack([low, mid, high], axis=1)


def _frame_powers(halves: _Matrix, bins: _Matrix) -> NDArray[np.float32]:
    """Add up the power of some bins of each frame: of every two halves in turn, ``(n_frames,)``."""
    spectra = halves[:-1] @ bins[:SAMPLES_PER_PIXEL] + halves[1:] @ bins[SAMPLES_PER_PIXEL:]
    powers: NDArray[np.float32] = np.einsum("ij,ij->i", spectra, spectra)
    return powers


@cache
def _transforms(sample_rate: int) -> tuple[_Matrix, _Matrix]:
    """Give the windowed cosines and sines of the bins of bass and middle, ``(1024, 2 * n)`` each.

    Scaled so that the sum of their products' squares is a mean square over a pixel.
    """
    bins = np.arange(_N_FFT // 2 + 1)
    limits = [0, *np.searchsorted(bins * sample_rate / _N_FFT, BAND_LIMITS_HZ)]
    # All but the first and the last bin stand for a negative frequency, too.
    weights = np.where(bins % (_N_FFT // 2) == 0, 1, 2) / (_N_FFT * SAMPLES_PER_PIXEL)
    bands = []
    for start, stop in pairwise(limits):
        phases = 2 * np.pi / _N_FFT * np.outer(np.arange(_N_FFT), bins[start:stop])
        waves = np.concatenate([np.cos(phases), np.sin(phases)], axis=1)
        scale = np.tile(np.sqrt(weights[start:stop]), 2)
        bands.append((_window()[:, None] * waves * scale).astype(np.float32))
    return bands[0], bands[1]


def _window() -> NDArray[np.float64]:
    window: NDArray[np.float64] = np.sin(np.pi * (np.arange(_N_FFT) + 0.5) / _N_FFT)
    return window


def _halve(low: _Matrix, high: _Matrix, powers: _Matrix) -> tuple[_Matrix, _Matrix, _Matrix]:
    """Give the next coarser level; an odd last pixel stands alone."""
    starts = np.arange(0, low.shape[1], 2)
    sizes = np.diff(starts, append=len(powers))
    sums: _Matrix = np.add.reduceat(powers, starts, axis=0)
    sums /= sizes[:, None]
    return (
        np.minimum.reduceat(low, starts, axis=1),
        np.maximum.reduceat(high, starts, axis=1),
        sums,
    )
