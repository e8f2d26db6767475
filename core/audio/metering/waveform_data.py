"""Zoomable waveform: minimum and maximum of each channel, and the power of bass, middle and
treble, at every scale from 512 samples per pixel.

The player draws it, `core.audio.metering.audiowaveform` encodes it. Bands come from frames of two
pixels whose squared windows sum to 1, so that the powers of the bands sum to that of the signal.
Only the bins of bass and middle are computed, as a product with cosines and sines; treble is the
rest of the frame's power (Parseval). For a tenth of the bins that is faster than a Fourier
transform.

With a half-sine window, bin k is the sum of the unwindowed half-bins k ± ½, so each half-frame is
multiplied once and shared by two frames.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import Samples, validate_block

SAMPLES_PER_PIXEL = 512
"""Samples per pixel of the finest level; each coarser level has twice as many."""


@dataclass(frozen=True, slots=True)
class BandRules:
    """Where the bands of a waveform meet.

    Parameters
    ----------
    limits_hz : borders between low and mid, and between mid and high. Kicks and bass lines have
        their fundamentals below the first; above the second lie hats and sibilants.
    """

    limits_hz: tuple[float, float] = (200.0, 2000.0)


BAND_RULES = BandRules()

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
    """Waveform at all scales, from the finest to one pixel; no levels without samples."""

    sample_rate: int
    n_samples: int
    levels: tuple[WaveformLevel, ...]


def measure_waveform(blocks: Iterable[Samples], sample_rate: int, n_channels: int) -> WaveformData:
    """Measure a recording in blocks ``(n_channels, n)``; see `WaveformMeter`."""
    meter = WaveformMeter(sample_rate, n_channels)
    for block in blocks:
        meter.add(block)
    return meter.finish()


class WaveformMeter:
    """Measure a waveform block by block; the result does not depend on the block sizes.

    Memory grows by 5 floats for each stereo pixel: 19 MB for three hours at 44.1 kHz.
    """

    def __init__(self, sample_rate: int, n_channels: int) -> None:
        self._sample_rate = sample_rate
        self._n_channels = n_channels
        self._n_samples = 0
        # Starts half a pixel before the next pixel.
        self._rest = np.zeros((n_channels, _BEFORE), dtype=np.float32)
        self._low: list[_Matrix] = [np.zeros((n_channels, 0), dtype=np.float32)]
        self._high = self._low.copy()
        self._powers: list[_Matrix] = [np.zeros((0, 3), dtype=np.float32)]
        self._waves = _half_bin_waves(sample_rate)
        self._bands = _band_weights(sample_rate)
        # Weights of a sample's square in either half of a frame, for the power of a pixel.
        self._shares = (_window() ** 2).reshape(2, -1).T.astype(np.float32) / SAMPLES_PER_PIXEL

    def add(self, block: Samples) -> None:
        """Add the next samples, float32 ``(n_channels, n)``; any n, including 0."""
        validate_block(block, n_channels=self._n_channels)
        self._n_samples += block.shape[1]
        joined = np.concatenate([self._rest, block], axis=1)
        n_pixels = max(0, (joined.shape[1] - _N_FFT) // SAMPLES_PER_PIXEL + 1)
        self._measure(joined, joined, n_pixels)
        self._rest = joined[:, n_pixels * SAMPLES_PER_PIXEL :].copy()

    def finish(self) -> WaveformData:
        """Return the waveform of everything added; call it once."""
        n_pixels = -(-self._n_samples // SAMPLES_PER_PIXEL) - sum(len(p) for p in self._powers)
        if n_pixels:
            padding = ((0, 0), (0, n_pixels * SAMPLES_PER_PIXEL + _N_FFT))
            # The last pixel may be shorter: repeat its samples instead of adding silence.
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
        """Return the power of each band and frame, ``(n_pixels, 3)``."""
        halves = channel.reshape(-1, SAMPLES_PER_PIXEL)
        low, mid = (_bin_powers(halves @ self._waves) @ self._bands).T
        shares = np.square(halves) @ self._shares
        high = np.maximum(0, shares[:-1, 0] + shares[1:, 1] - low - mid)
        return np.stack([low, mid, high], axis=1)


def _bin_powers(products: _Matrix) -> _Matrix:
    """Return the squared cosine and sine parts of each bin of each frame.

    Parameters
    ----------
    products : of half-frames and `_half_bin_waves`, ``(n_frames + 1, 2 * n_bins)``.

    Returns
    -------
    ``(n_frames, 2 * n_bins)``; bin 0, whose neighbour below mirrors the one above, comes first.
    """
    n_bins = products.shape[1] // 2
    turns = np.where(np.arange(n_bins) % 2, -1, 1).astype(np.float32)
    first, second = products[:-1], products[1:]
    cosines = first[:, :n_bins] + turns * second[:, n_bins:]
    sines = first[:, n_bins:] - turns * second[:, :n_bins]
    bins = np.empty_like(first)
    bins[:, 0], bins[:, n_bins] = 2 * cosines[:, 0], 0
    np.add(cosines[:, 1:], cosines[:, :-1], out=bins[:, 1:n_bins])
    np.add(sines[:, 1:], sines[:, :-1], out=bins[:, n_bins + 1 :])
    return np.square(bins, out=bins)


@cache
def _half_bin_waves(sample_rate: int) -> _Matrix:
    """Return cosines and negative sines of the half-bins ½, 1½ … below treble, ``(512, 2 * n)``.

    They cover the first half of a frame, with phase 0 in the middle of the frame.
    """
    half_bins = np.arange(_count_bins(sample_rate)[1]) + 0.5
    times = np.arange(SAMPLES_PER_PIXEL) + 0.5 - SAMPLES_PER_PIXEL
    phases = 2 * np.pi / _N_FFT * np.outer(times, half_bins)
    return np.concatenate([np.cos(phases), -np.sin(phases)], axis=1).astype(np.float32)


@cache
def _band_weights(sample_rate: int) -> _Matrix:
    """Return the weights of each bin's parts in bass and middle, ``(2 * n_bins, 2)``.

    Scaled so that the sum of `_bin_powers` is a mean square over a pixel.
    """
    n_low, n_bins = _count_bins(sample_rate)
    bins = np.arange(n_bins)
    # All but the first and the last bin also stand for a negative frequency; the sum of two
    # half-bins is twice the bin.
    weights = np.where(bins % (_N_FFT // 2) == 0, 1, 2) / (4 * _N_FFT * SAMPLES_PER_PIXEL)
    bands = np.stack([bins < n_low, bins >= n_low], axis=1) * weights[:, None]
    return np.tile(bands, (2, 1)).astype(np.float32)


def _count_bins(sample_rate: int) -> tuple[int, int]:
    """Return the number of bins of bass, and of bass and middle."""
    bins_hz = np.arange(_N_FFT // 2 + 1) * sample_rate / _N_FFT
    n_low, n_bins = np.searchsorted(bins_hz, BAND_RULES.limits_hz)
    return int(n_low), int(n_bins)


def _window() -> NDArray[np.float64]:
    window: NDArray[np.float64] = np.sin(np.pi * (np.arange(_N_FFT) + 0.5) / _N_FFT)
    return window


def _halve(low: _Matrix, high: _Matrix, powers: _Matrix) -> tuple[_Matrix, _Matrix, _Matrix]:
    """Return the next coarser level; an odd last pixel is kept alone."""
    starts = np.arange(0, low.shape[1], 2)
    sizes = np.diff(starts, append=len(powers))
    sums: _Matrix = np.add.reduceat(powers, starts, axis=0)
    sums /= sizes[:, None]
    return (
        np.minimum.reduceat(low, starts, axis=1),
        np.maximum.reduceat(high, starts, axis=1),
        sums,
    )
