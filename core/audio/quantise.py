"""Float samples to integer PCM codes and back.

Delivery works on codes: stems that have to sum to the mixture at 16 or 24 bits can only do so when
the sum is made of the very integers that are written.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import Codes, Samples

BitDepth = Literal[16, 24]


def quantise(
    samples: NDArray[np.floating],
    bit_depth: BitDepth,
    *,
    rng: np.random.Generator | None = None,
) -> Codes:
    """Round samples to PCM codes.

    Parameters
    ----------
    samples : float, any shape, nominal ±1 (full scale = ``2**(bit_depth - 1)`` codes).
    rng : when given, triangular dither of ±1 LSB (the sum of two uniform ±0.5 LSB) is added first.

    Returns
    -------
    int32 codes of the same shape in ``[-2**(bit_depth-1), 2**(bit_depth-1) - 1]``; what lies beyond
    is clipped: ask `peak` before. Without ``rng``, `dequantise` undoes it exactly for samples that
    came from codes.

    Raises
    ------
    ValueError : ``bit_depth`` isn't 16 or 24, or a sample isn't finite.

    References
    ----------
    Lipshitz, Wannamaker, Vanderkooy: Quantization and Dither, JAES 40 (1992).
    """
    scale = _scale(bit_depth)
    scaled = np.asarray(samples, dtype=np.float64) * scale
    if not np.isfinite(scaled).all():
        raise ValueError("samples must be finite")
    if rng is not None:
        scaled += _triangular(rng, scaled.shape)
    return np.clip(np.rint(scaled), -scale, scale - 1).astype(np.int32)


def dequantise(codes: Codes, bit_depth: BitDepth) -> Samples:
    """Return the float32 samples that the codes stand for; exact, as 24 bits fit the mantissa.

    Raises
    ------
    ValueError : ``bit_depth`` isn't 16 or 24.
    """
    return codes.astype(np.float32) / np.float32(_scale(bit_depth))


def dither_noise(shape: tuple[int, ...], *, seed: Sequence[int]) -> NDArray[np.float64]:
    """Return triangular dither in LSB (±1, mean 0) for callers that round for themselves.

    The same ``seed`` (non-negative integers) and shape give the same noise, so that a delivery made
    again has the same bytes.
    """
    return _triangular(np.random.default_rng(list(seed)), shape)


def peak(samples: NDArray[np.floating]) -> float:
    """Return the largest absolute sample; 0.0 for an empty array. Above 1.0 `quantise` clips."""
    if samples.size == 0:
        return 0.0
    return float(max(samples.max(), -samples.min()))


def _triangular(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return rng.random(shape) - rng.random(shape)


def _scale(bit_depth: int) -> int:
    if bit_depth not in (16, 24):
        raise ValueError(f"bit_depth must be 16 or 24, not {bit_depth}")
    return 1 << (bit_depth - 1)
