"""The audio array of this package, and the function that checks it.

Between the modules of this package audio is float32, shape ``(n_channels, n_samples)``, finite,
nominal range ±1, never mutated. PCM codes are int32 of the same shape.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]
Codes: TypeAlias = NDArray[np.int32]

# 262 144 samples are 6 s at 44.1 kHz and 2 MB in stereo float32: large enough that the cost of a
# call vanishes, small enough that a dozen of them are negligible.
BLOCK_SIZE = 262_144
MIN_SAMPLE_RATE = 8_000
"""Lowest sample rate in Hz of which loudness is defined here."""
MAX_SAMPLE_RATE = 192_000
"""Highest sample rate in Hz that is processed."""


def validate_block(
    block: NDArray[Any], *, n_channels: int, dtype: type[np.generic] = np.float32
) -> None:
    """Check that a block has the shape ``(n_channels, n)`` and the dtype expected.

    Raises
    ------
    ValueError : wrong number of dimensions or of channels.
    TypeError : wrong dtype.
    """
    if block.ndim != 2 or block.shape[0] != n_channels:
        raise ValueError(f"expected a block of shape ({n_channels}, n), got {block.shape}")
    if block.dtype != dtype:
        raise TypeError(f"expected {dtype.__name__} samples, got {block.dtype}")
