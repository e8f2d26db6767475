"""Published key profiles: the expected strength of the pitch classes in each of the 24 keys.

Three come from electronic dance music, two from tonal music at large. They err on different songs,
so their mean is used.

References: Faraldo, Gómez, Jordà & Herrera, "Key estimation in electronic dance music", ECIR 2016
(edma); Faraldo, Jordà & Herrera, "A multi-profile method for key estimation in EDM", AES 2017
(bgate); Sha'ath, "Estimation of key in digital music recordings", MSc thesis, Birkbeck 2011
(shaath); Gómez, "Tonal description of polyphonic audio for music content processing", INFORMS
Journal on Computing 18 (2006) (gomez); Temperley, "What's key for key?", Music Perception 17
(1999) (temperley).
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

_Profile = tuple[float, ...]

# Expected strength of the twelve pitch classes above the tonic, major then minor.
_ELECTRONIC: dict[str, tuple[_Profile, _Profile]] = {
    "edma": (
        (1.00, 0.29, 0.50, 0.40, 0.60, 0.56, 0.32, 0.80, 0.31, 0.45, 0.42, 0.39),
        (1.00, 0.31, 0.44, 0.58, 0.33, 0.49, 0.29, 0.78, 0.43, 0.29, 0.53, 0.32),
    ),
    "bgate": (
        (1.00, 0.00, 0.42, 0.00, 0.53, 0.37, 0.00, 0.77, 0.00, 0.38, 0.21, 0.30),
        (1.00, 0.00, 0.36, 0.39, 0.00, 0.38, 0.00, 0.74, 0.27, 0.00, 0.42, 0.23),
    ),
    "shaath": (
        (6.6, 2.0, 3.5, 2.3, 4.6, 4.0, 2.5, 5.2, 2.4, 3.7, 2.3, 3.4),
        (6.5, 2.7, 3.5, 5.4, 2.6, 3.5, 2.5, 5.2, 4.0, 2.7, 4.3, 3.2),
    ),
}
# The same for tonal music at large.
_TONAL: dict[str, tuple[_Profile, _Profile]] = {
    "gomez": (
        (0.82, 0.00, 0.55, 0.00, 0.53, 0.30, 0.08, 1.00, 0.00, 0.38, 0.00, 0.47),
        (0.81, 0.00, 0.53, 0.54, 0.00, 0.27, 0.07, 1.00, 0.27, 0.07, 0.10, 0.36),
    ),
    "temperley": (
        (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400),
        (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330),
    ),
}

_Matrix = NDArray[np.float64]


def expected_chroma(electronic: float) -> _Matrix:
    """Return the expected chroma of the keys, ``(24, 12)``: C major … B, C minor … B.

    Parameters
    ----------
    electronic : 0 for the mean of all profiles, 1 for that of the electronic ones alone; values
        between interpolate. Each profile has mean 0 and norm 1.
    """
    every, some = _means()
    mixed: _Matrix = (1 - electronic) * every + electronic * some
    return mixed


@cache
def _means() -> tuple[_Matrix, _Matrix]:
    """Return the mean of all profiles, and of the electronic ones, ``(24, 12)`` each."""
    electronic, tonal = (
        np.array([_rotate(profiles) for profiles in kind.values()])
        for kind in (_ELECTRONIC, _TONAL)
    )
    return np.concatenate([electronic, tonal]).mean(axis=0), electronic.mean(axis=0)


def _rotate(profiles: tuple[_Profile, _Profile]) -> _Matrix:
    rotated = np.array([np.roll(profile, tonic) for profile in profiles for tonic in range(12)])
    rotated -= rotated.mean(axis=1, keepdims=True)
    normalised: _Matrix = rotated / np.linalg.norm(rotated, axis=1, keepdims=True)
    return normalised
