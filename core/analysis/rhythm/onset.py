"""Where something starts: onset strength in bands, which tempo, beats and bars are read from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from core.analysis.spectra import Spectra


@dataclass(frozen=True, slots=True)
class OnsetBands:
    """Levelled onset strength in bands.

    Parameters
    ----------
    strength : by `core.analysis.flux.BANDS`, ``(n_bands, n_frames)``, at least 0, of mean square
        near 1 where music plays.
    frame_rate_hz : frames a second; frame ``i`` is centred on ``i / frame_rate_hz``.
    """

    strength: NDArray[np.float32]
    frame_rate_hz: float


def onset_bands(spectra: Spectra) -> OnsetBands:
    """Level how much starts when in each of the spectra's bands by `sharpen`; zeros for silence."""
    rate = spectra.mel_rate_hz
    levelled = np.stack([sharpen(row, rate) for row in spectra.flux])
    return OnsetBands(levelled.astype(np.float32), rate)


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
