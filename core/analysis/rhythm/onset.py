"""Onset strength in bands, the basis of tempo, beats and bars."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from core.analysis.spectra import Spectra

LATENCY_S = -0.001
"""Added to the time of an envelope's peak to get that of the onset, in seconds: between the value
for clicks (+0.0043) and that for drums and notes, which rise more slowly (−0.0055 in rendered
songs)."""


@dataclass(frozen=True, slots=True)
class OnsetRules:
    """How onset strength is levelled.

    Parameters
    ----------
    mean_s : seconds around a frame whose mean is subtracted: about a beat.
    level_s : seconds around a frame whose RMS becomes 1: several bars, so that a loud chorus counts
        no more than a quiet verse.
    floor : share of the largest power that is added: the noise of a silent passage is not raised to
        the level of music (20 dB).

    bench.train_rhythm trains on envelopes levelled so. No benchmark of single values is recorded.
    """

    mean_s: float = 0.6
    level_s: float = 8.0
    floor: float = 0.01


RULES = OnsetRules()


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
    """Return the onset strength of each band, levelled by `sharpen`; zeros for silence."""
    rate = spectra.mel_rate_hz
    levelled = np.stack([sharpen(row, rate) for row in spectra.flux])
    return OnsetBands(levelled.astype(np.float32), rate)


def sharpen(strength: NDArray[np.float32], frame_rate_hz: float) -> NDArray[np.float64]:
    """Level an envelope: subtract its 0.6 s mean, clip at 0, divide by its 8 s RMS.

    A loud chorus then counts no more than a quiet verse.
    """
    mean = uniform_filter1d(
        strength.astype(np.float64), max(1, round(RULES.mean_s * frame_rate_hz))
    )
    peaks = np.maximum(0, strength - mean)
    power = uniform_filter1d(peaks**2, max(1, round(RULES.level_s * frame_rate_hz)))
    floor = RULES.floor * power.max() + 1e-12
    levelled: NDArray[np.float64] = peaks / np.sqrt(power + floor)
    return levelled
