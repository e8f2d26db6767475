"""Quantisation of float samples to integer PCM codes, and dither.

Delivery works on codes: at 16 or 24 bits, stems can sum exactly to the mixture only if the sum is
computed from the integers that are written.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import Codes

BitDepth = Literal[16, 24]


def quantise(samples: NDArray[np.floating], bit_depth: BitDepth) -> Codes:
    """Round samples to PCM codes.

    Parameters
    ----------
    samples : float, any shape, nominal ±1 (full scale = ``2**(bit_depth - 1)`` codes).

    Returns
    -------
    int32 codes of the same shape in ``[-2**(bit_depth-1), 2**(bit_depth-1) - 1]``; values beyond
    are clipped.

    Raises
    ------
    ValueError : ``bit_depth`` is not 16 or 24, or a sample is not finite.
    """
    if bit_depth not in (16, 24):
        raise ValueError(f"bit_depth must be 16 or 24, not {bit_depth}")
    scale = 1 << (bit_depth - 1)
    scaled = np.asarray(samples, dtype=np.float64) * scale
    if not np.isfinite(scaled).all():
        raise ValueError("samples must be finite")
    return np.clip(np.rint(scaled), -scale, scale - 1).astype(np.int32)


def dither_noise(shape: tuple[int, ...], *, seed: Sequence[int]) -> NDArray[np.float64]:
    """Return triangular dither in LSB: the sum of two uniform ±0.5 LSB, mean 0.

    The same ``seed`` (non-negative integers) and shape give the same noise, so that repeated
    deliveries have the same bytes.

    References
    ----------
    Lipshitz, Wannamaker, Vanderkooy: Quantization and Dither, JAES 40 (1992).
    """
    rng = np.random.default_rng(list(seed))
    return rng.random(shape) - rng.random(shape)
