"""Where something starts: onset strength in bands, which tempo, beats and bars are read from.

Reference: Böck & Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013
(the flux against the larger of neighbouring bands).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from core.analysis.spectra import Spectra

BANDS = ((0, 40), (0, 4), (4, 14), (14, 28), (28, 40))
"""Mel bands from, to: everything, kick and bass, low mids, mids (snare), cymbals."""

_BLOCK_FRAMES = 8192
_LAG_FRAMES = 2
_COMPRESSION = 1000.0


@dataclass(frozen=True, slots=True)
class OnsetBands:
    """Levelled onset strength in bands.

    Parameters
    ----------
    strength : ``(len(BANDS), n_frames)``, at least 0, of mean square near 1 where music plays.
    frame_rate_hz : frames a second; frame ``i`` is centred on ``i / frame_rate_hz``.
    """

    strength: NDArray[np.float32]
    frame_rate_hz: float


def onset_bands(spectra: Spectra) -> OnsetBands:
    """Measure how much starts when in each of `BANDS`, each band levelled by `sharpen`.

    The spectra's peak sets the scale: gain and polarity change nothing. Silence gives zeros.
    """
    gain = np.float32(_COMPRESSION / max(spectra.peak, 1e-9))
    strength = np.zeros((len(BANDS), len(spectra.mel)), dtype=np.float32)
    for start in range(0, len(spectra.mel), _BLOCK_FRAMES):
        first = max(0, start - _LAG_FRAMES)
        levels = np.log1p(gain * spectra.mel[first : start + _BLOCK_FRAMES])
        if start == 0:
            levels = np.concatenate([np.zeros((_LAG_FRAMES, levels.shape[1]), np.float32), levels])
        reference = maximum_filter1d(levels[:-_LAG_FRAMES], 3, axis=1)
        flux = np.maximum(0, levels[_LAG_FRAMES:] - reference)
        for row, (low, high) in enumerate(BANDS):
            strength[row, start : start + len(flux)] = flux[:, low:high].mean(axis=1)
    rate = spectra.mel_rate_hz
    return OnsetBands(np.stack([sharpen(row, rate) for row in strength]).astype(np.float32), rate)


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
