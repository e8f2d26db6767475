"""How much of each pitch class sounds: the chroma that the key is read from.

The way: long spectra (a semitone apart is told from 100 Hz up) → thirds of semitones from E1 to C6
→ logarithm → less the mean of an octave around (whitening: a timbre's tilt is no harmony) → tuned
→ twelve pitch classes, each frame counting alike however loud it is.

References: Gómez, "Tonal description of music audio signals", PhD thesis, UPF 2006; Müller &
Ewert, "Chroma Toolbox", ISMIR 2011 (logarithmic compression).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, uniform_filter1d

from core.analysis.signal import Mono, magnitude_blocks, power_of_two

LOWEST_PITCH = 28  # E1, 41 Hz
HIGHEST_PITCH = 84  # C6, 1047 Hz

_PER_SEMITONE = 3
_FRAME_S = 0.743
_COMPRESSION = 1000.0
_SMOOTHED_FRAMES = 5
_TUNING_RANGE_HZ = (110.0, 1100.0)

_Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Chroma:
    """Mean strength of the pitch classes C … B over a recording, each ``(12,)``, largest 1.

    Parameters
    ----------
    full : everything that sounds.
    peaks : spectral peaks alone.
    tuning_cents : how far above equal temperament on A = 440 Hz the recording is, −50 to 50.
    """

    full: NDArray[np.float64]
    peaks: NDArray[np.float64]
    tuning_cents: float


def measure_chroma(mono: Mono, sample_rate: int) -> Chroma:
    """Measure the chroma of a signal, ``(n_samples,)``, that is not silent.

    A signal without pitch in range gives zeros.
    """
    white, tuning_cents = _whitened_bands(mono, sample_rate)
    is_peak = (white >= np.roll(white, 1, axis=1)) & (white >= np.roll(white, -1, axis=1))
    return Chroma(
        full=_mean(_fold(white, tuning_cents)),
        peaks=_mean(_fold(np.where(is_peak, white, 0), tuning_cents)),
        tuning_cents=tuning_cents,
    )


def chroma_over_time(mono: Mono, sample_rate: int) -> tuple[_Matrix, float]:
    """Give the chroma of every frame, ``(n_frames, 12)``, and the frames a second.

    Frame ``i`` is centred on ``i / frame_rate_hz``; for signals as `measure_chroma`.
    """
    frames = _fold(*_whitened_bands(mono, sample_rate))
    return frames, sample_rate / (power_of_two(_FRAME_S, sample_rate) // 4)


def _whitened_bands(mono: Mono, sample_rate: int) -> tuple[_Matrix, float]:
    """Give thirds of semitones over time, ``(n_frames, n_bands)``, and the tuning in cents."""
    n_fft = power_of_two(_FRAME_S, sample_rate)
    kernels = _pitch_kernels(sample_rate, n_fft).T
    gain = _COMPRESSION / float(np.abs(mono).max())
    spectra, tuning = [], 0j
    for block in magnitude_blocks(mono, n_fft, n_fft // 4, block_frames=64):
        spectra.append(np.log1p(gain * (block @ kernels)))
        tuning += _tuning_phasor(block, sample_rate / n_fft)
    tuning_cents = float(np.angle(tuning) / (2 * np.pi) * 100) if tuning else 0.0
    bands = np.concatenate(spectra)
    white = np.maximum(0, bands - uniform_filter1d(bands, 12 * _PER_SEMITONE, axis=1))
    return white, tuning_cents


def _pitch_kernels(sample_rate: int, n_fft: int) -> _Matrix:
    """Give triangles a third of a semitone apart, ``(n_bands, n_fft // 2 + 1)``, each of sum 1."""
    n_bands = (HIGHEST_PITCH - LOWEST_PITCH + 1) * _PER_SEMITONE
    pitches = LOWEST_PITCH + (np.arange(n_bands) - _PER_SEMITONE // 2) / _PER_SEMITONE
    centres_hz = 440 * 2 ** ((pitches - 69) / 12)
    bin_hz = sample_rate / n_fft
    # At least a bin wide, or low bands would fall between bins.
    widths_hz = np.maximum(centres_hz * (2 ** (1 / 12 / _PER_SEMITONE) - 1), bin_hz)
    bins_hz = np.arange(n_fft // 2 + 1) * bin_hz
    kernels = np.maximum(0, 1 - np.abs(bins_hz - centres_hz[:, None]) / widths_hz[:, None])
    sums = kernels.sum(axis=1, keepdims=True)
    normalised: _Matrix = (kernels / np.maximum(sums, 1e-9)).astype(np.float32)
    return normalised


def _tuning_phasor(block: _Matrix, bin_hz: float) -> complex:
    """Sum, over spectral peaks, their magnitude turned by how far they are from a semitone."""
    low, high = (round(hz / bin_hz) for hz in _TUNING_RANGE_HZ)
    band = np.log(block[:, low - 1 : high + 1] + 1e-9)
    left, middle, right = band[:, :-2], band[:, 1:-1], band[:, 2:]
    floor = middle.max(axis=1, keepdims=True) - 4.6  # 40 dB below the frame's largest
    rows, columns = np.nonzero((middle > left) & (middle >= right) & (middle > floor))
    at = (rows, columns)
    curvature = left[at] - 2 * middle[at] + right[at]
    offsets = 0.5 * (left[at] - right[at]) / np.minimum(curvature, -1e-9)
    frequencies_hz = (columns + low + offsets) * bin_hz
    semitones = 12 * np.log2(frequencies_hz / 440)
    return complex(np.sum(np.exp(middle[at]) * np.exp(2j * np.pi * semitones)))


def _fold(white: _Matrix, tuning_cents: float) -> _Matrix:
    """Add up, for each pitch class and frame, the bands around its tuned pitches."""
    n_bands = white.shape[1]
    moved = np.arange(n_bands) + tuning_cents / 100 * _PER_SEMITONE
    lower = np.clip(np.floor(moved).astype(np.intp), 0, n_bands - 2)
    part = np.clip(moved - lower, 0, 1)
    tuned = white[:, lower] * (1 - part) + white[:, lower + 1] * part
    semitones = tuned.reshape(len(tuned), -1, _PER_SEMITONE) @ np.array([0.5, 1.0, 0.5])
    first_c = -LOWEST_PITCH % 12
    padded = np.pad(semitones, ((0, 0), (12 - first_c, -(semitones.shape[1] + 12 - first_c) % 12)))
    frames: _Matrix = padded.reshape(len(padded), -1, 12).sum(axis=1).astype(np.float32)
    return frames


def _mean(frames: _Matrix) -> NDArray[np.float64]:
    """Average over time; a soft gate lets all frames count alike but for the nearly empty ones."""
    smooth = median_filter(frames, size=(_SMOOTHED_FRAMES, 1), mode="nearest").astype(np.float64)
    loudest = smooth.max(axis=1, keepdims=True)
    mean = (smooth / (loudest + 0.1 * loudest.max() + 1e-12)).mean(axis=0)
    return np.asarray(mean / max(mean.max(), 1e-12), dtype=np.float64)
