"""Spectral flux: the rise of mel bands from frame to frame, averaged over groups of bands.

Measured once for each recording (`Spectra.flux`); tempo, energy and descriptors read it.

Reference: Böck & Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013
(the flux against the larger of neighbouring bands).
"""

import numpy as np
from numpy.typing import NDArray

LOW_BANDS = 4
"""Mel bands of kick drum and bass, up to about 200 Hz."""
BANDS = ((0, 40), (0, LOW_BANDS), (LOW_BANDS, 14), (14, 28), (28, 40))
"""Mel bands from, to: everything, kick and bass, low mids, mids (snare), cymbals."""
LAG_FRAMES = 2
"""Distance in frames of the two levels that are compared; silence precedes the first."""
COMPRESSION = 1000.0
"""Levels are ``log1p(COMPRESSION * magnitude / peak)``."""

_BLOCK_FRAMES = 8192  # bounds memory; the result does not depend on it

_Matrix = NDArray[np.float32]


def measure_flux(mel: _Matrix, peak: float) -> _Matrix:
    """Measure the mean rise of levels in each group of `BANDS`.

    Parameters
    ----------
    mel : magnitudes, ``(n_frames, 40)``.
    peak : of the signal; it sets the scale, so that gain and polarity have no effect.

    Returns
    -------
    float32 ``(len(BANDS), n_frames)``, at least 0; zeros for silence.
    """
    gain = np.float32(COMPRESSION / max(peak, 1e-9))
    flux = np.zeros((len(BANDS), len(mel)), dtype=np.float32)
    before = np.zeros((LAG_FRAMES, mel.shape[1]), dtype=np.float32)
    for start in range(0, len(mel), _BLOCK_FRAMES):
        levels = np.concatenate([before, np.log1p(gain * mel[start : start + _BLOCK_FRAMES])])
        rises = np.maximum(0, levels[LAG_FRAMES:] - widen(levels[:-LAG_FRAMES]))
        for row, (low, high) in enumerate(BANDS):
            flux[row, start : start + len(rises)] = rises[:, low:high].mean(axis=1)
        before = levels[-LAG_FRAMES:]
    return flux


def widen(levels: _Matrix) -> _Matrix:
    """Return the maximum of each band and its two neighbours, along the last axis."""
    widest = levels.copy()
    np.maximum(widest[..., 1:], levels[..., :-1], out=widest[..., 1:])
    np.maximum(widest[..., :-1], levels[..., 1:], out=widest[..., :-1])
    return widest
