"""FFmpeg's sample formats to float32."""

from typing import Any

import numpy as np

from core.audio.buffer import Samples

SAMPLE_FORMATS = {"u8", "s16", "s32", "flt", "dbl"}
"""What `frame_to_float32` takes, each also planar (``s16p``)."""

_INTEGER_SCALE = {"i2": 1 << 15, "i4": 1 << 31}


def frame_to_float32(frame: Any) -> Samples:
    """Convert an FFmpeg audio frame to float32 ``(n_channels, n)``, nominal ±1, without dither.

    Codes of up to 24 bits are exact; 24-bit codes come left-aligned in 32. Doubles beyond float32
    become infinite, for the caller to refuse.
    """
    array = frame.to_ndarray()
    if not frame.format.is_planar:
        array = array.reshape(-1, frame.layout.nb_channels).T
    if array.dtype == np.uint8:
        samples = (array.astype(np.float32) - 128) / 128
    elif array.dtype.kind == "i":
        scale = _INTEGER_SCALE[array.dtype.str[1:]]
        samples = array.astype(np.float32) / np.float32(scale)
    else:
        with np.errstate(over="ignore"):
            samples = array.astype(np.float32)
    return np.ascontiguousarray(samples, dtype=np.float32)
