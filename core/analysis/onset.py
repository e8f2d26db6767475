"""Where something starts: the onset envelope, which tempo, beats and energy are read from.

Reference: Böck & Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013
(the flux against the larger of neighbouring bands).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from core.analysis.signal import Mono, magnitude_blocks, mel_filters, power_of_two

N_BANDS = 40
LOW_BANDS = 6
"""Bands that hold kick drum and bass, up to about 300 Hz."""

_FRAME_S = 0.046
_HOP_S = 0.0116
_LAG_FRAMES = 2
_COMPRESSION = 1000.0


@dataclass(frozen=True, slots=True)
class OnsetEnvelope:
    """How much starts when.

    Parameters
    ----------
    strength : flux averaged over all bands, ``(n_frames,)``, at least 0.
    low_strength : the same over the `LOW_BANDS` lowest bands.
    frame_rate_hz : frames a second; frame ``i`` is centred on ``i / frame_rate_hz``.
    """

    strength: NDArray[np.float32]
    low_strength: NDArray[np.float32]
    frame_rate_hz: float


def onset_envelope(mono: Mono, sample_rate: int) -> OnsetEnvelope:
    """Measure the onsets of a signal, ``(n_samples,)``.

    Silence gives zeros; there is at least one frame, whatever the length.
    """
    n_fft = power_of_two(_FRAME_S, sample_rate)
    hop_length = power_of_two(_HOP_S, sample_rate)
    filters = mel_filters(sample_rate, n_fft, N_BANDS).T
    strength, low_strength = [], []
    before = np.zeros((_LAG_FRAMES, N_BANDS), dtype=np.float32)
    for block in magnitude_blocks(mono, n_fft, hop_length):
        bands = np.concatenate([before, np.log1p(_COMPRESSION * (block @ filters))])
        reference = maximum_filter1d(bands[:-_LAG_FRAMES], 3, axis=1)
        flux = np.maximum(0, bands[_LAG_FRAMES:] - reference)
        strength.append(flux.mean(axis=1))
        low_strength.append(flux[:, :LOW_BANDS].mean(axis=1))
        before = bands[-_LAG_FRAMES:]
    return OnsetEnvelope(
        np.concatenate(strength), np.concatenate(low_strength), sample_rate / hop_length
    )


def sharpen(strength: NDArray[np.float32], frame_rate_hz: float) -> NDArray[np.float64]:
    """Level an envelope: subtract its 0.6 s mean, drop what is below, divide by its 8 s RMS.

    A loud chorus then counts no more than a quiet verse.
    """
    mean = uniform_filter1d(strength.astype(np.float64), max(1, round(0.6 * frame_rate_hz)))
    peaks = np.maximum(0, strength - mean)
    power = uniform_filter1d(peaks**2, max(1, round(8 * frame_rate_hz)))
    # The floor keeps the noise of a silent passage from being blown up to the level of music.
    floor = 0.01 * power.max() + 1e-12
    levelled: NDArray[np.float64] = peaks / np.sqrt(power + floor)
    return levelled
