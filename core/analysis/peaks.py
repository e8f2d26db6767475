"""Sub-sample peak positions by a parabola through three neighbouring samples.

Reference: Smith, *Spectral Audio Signal Processing*, 2011 (quadratic interpolation of peaks).
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_F = TypeVar("_F", bound=np.floating[Any])


def parabolic_shift(left: NDArray[_F], middle: NDArray[_F], right: NDArray[_F]) -> NDArray[_F]:
    """Return how far the vertex lies from the middle sample, in samples.

    Parameters
    ----------
    left, middle, right : equally spaced values, of one floating dtype and any common shape.

    Returns
    -------
    Offsets of the same dtype and shape, between -0.5 and 0.5 where the middle is the largest; 0
    where the three values do not bend downwards.
    """
    curvature = left - 2 * middle + right
    shift: NDArray[_F] = np.where(
        curvature < 0, 0.5 * (left - right) / np.minimum(curvature, -1e-12), 0.0
    )
    return shift
