"""Which key a recording is in, as DJs name it.

The chroma is compared with what each of the 24 keys leads one to expect. Three published profiles
are averaged: they were made for electronic dance music and for all kinds, and err on different
songs.

References: Faraldo, Gómez, Jordà & Herrera, "Key estimation in electronic dance music", ECIR 2016
(edma); Faraldo, Jordà & Herrera, "A multi-profile method for key estimation in EDM", AES 2017
(bgate); Gómez, "Tonal description of polyphonic audio for music content processing", INFORMS
Journal on Computing 18 (2006) (gomez).
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.analysis.camelot import key_of, key_to_camelot, key_to_open_key, key_to_short
from core.analysis.chroma import measure_chroma
from core.analysis.signal import Mono, is_silent

N_ALTERNATIVES = 3

# Expected strength of the twelve pitch classes above the tonic, major then minor.
_PROFILES = {
    "edma": (
        (1.00, 0.29, 0.50, 0.40, 0.60, 0.56, 0.32, 0.80, 0.31, 0.45, 0.42, 0.39),
        (1.00, 0.31, 0.44, 0.58, 0.33, 0.49, 0.29, 0.78, 0.43, 0.29, 0.53, 0.32),
    ),
    "bgate": (
        (1.00, 0.00, 0.42, 0.00, 0.53, 0.37, 0.00, 0.77, 0.00, 0.38, 0.21, 0.30),
        (1.00, 0.00, 0.36, 0.39, 0.00, 0.38, 0.00, 0.74, 0.27, 0.00, 0.42, 0.23),
    ),
    "gomez": (
        (0.82, 0.00, 0.55, 0.00, 0.53, 0.30, 0.08, 1.00, 0.00, 0.38, 0.00, 0.47),
        (0.81, 0.00, 0.53, 0.54, 0.00, 0.27, 0.07, 1.00, 0.27, 0.07, 0.10, 0.36),
    ),
}
_MODES: tuple[Literal["major", "minor"], ...] = ("major", "minor")
_GATE = 0.2
_SHARPNESS = 20.0


@dataclass(frozen=True, slots=True)
class KeyCandidate:
    """Another key that it could be; ``score`` compares with the estimate's ``confidence``."""

    key: str
    camelot: str
    score: float


@dataclass(frozen=True, slots=True)
class KeyEstimate:
    """The key of a recording, in every notation.

    Parameters
    ----------
    key, camelot, open_key, key_short : ``A minor``, ``8A``, ``1m``, ``Am``; None where there is no
        key: silence, or no pitch at all.
    confidence : 0 to 1; the probability of ``key`` among the 24, times how far the strongest pitch
        class stands out from the weakest.
    alternatives : the next best keys, best first.
    tuning_cents : above equal temperament on A = 440 Hz, −50 to 50; keys mix within ±10 cents.
    """

    key: str | None = None
    camelot: str | None = None
    open_key: str | None = None
    key_short: str | None = None
    confidence: float = 0.0
    alternatives: tuple[KeyCandidate, ...] = field(default=())
    tuning_cents: float = 0.0


def estimate_key(mono: Mono, sample_rate: int) -> KeyEstimate:
    """Estimate the key.

    Parameters
    ----------
    mono : float32 ``(n_samples,)``; see `core.analysis.signal`.
    sample_rate : in Hz.

    Returns
    -------
    The estimate; the empty one for silence and for what has no pitch between E1 and C6.
    """
    if is_silent(mono):
        return KeyEstimate()
    chroma = measure_chroma(mono, sample_rate)
    fits = [_fit(_gate(version)) for version in (chroma.full, chroma.peaks)]
    mean_fit = np.mean(fits, axis=0)
    if not mean_fit.any():
        return KeyEstimate()
    likelihood = np.exp(_SHARPNESS * (mean_fit - mean_fit.max()))
    # Noise sounds on all pitch classes alike, and some key always fits it best.
    contrast = 1 - float(chroma.full.min() / chroma.full.max())
    probability = contrast * likelihood / likelihood.sum()
    candidates = [
        _name(int(index), float(probability[index])) for index in np.argsort(-probability)
    ]
    best = candidates[0]
    return KeyEstimate(
        key=best.key,
        camelot=best.camelot,
        open_key=key_to_open_key(best.key),
        key_short=key_to_short(best.key),
        confidence=best.score,
        alternatives=tuple(candidates[1 : 1 + N_ALTERNATIVES]),
        tuning_cents=chroma.tuning_cents,
    )


def _gate(chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Drop pitch classes that are weak throughout: noise and overtones."""
    return np.where(chroma < _GATE * chroma.max(), 0.0, chroma)


def _fit(chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate with the 24 keys, ``(24,)``: C major … B major, C minor … B minor."""
    fits = np.zeros(24)
    if np.ptp(chroma) == 0:
        return fits
    for profiles in _PROFILES.values():
        expected = [np.roll(profile, tonic) for profile in profiles for tonic in range(12)]
        fits += np.corrcoef(chroma, expected)[0, 1:]
    return fits / len(_PROFILES)


def _name(index: int, score: float) -> KeyCandidate:
    key = key_of(index % 12, _MODES[index // 12])
    return KeyCandidate(key, key_to_camelot(key), score)
