"""Conversion of FFmpeg's sample formats to float32."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import Samples

SAMPLE_FORMATS = {"u8": "u1", "s16": "i2", "s32": "i4", "flt": "f4", "dbl": "f8"}
"""Formats that `frame_to_float32` accepts, each also planar (``s16p``), with numpy's type."""

_INTEGER_SCALE = {"i2": 1 << 15, "i4": 1 << 31}


def frame_to_float32(frame: Any) -> Samples:
    """Convert an FFmpeg audio frame to float32 ``(n_channels, n)``, nominal ±1, without dither.

    Codes of up to 24 bits are exact; 24-bit codes come left-aligned in 32. Doubles beyond float32
    become infinite; the caller rejects them.
    """
    array = _channels(frame)
    samples: NDArray[np.floating]
    if array.dtype == np.uint8:
        samples = (array.astype(np.float32) - 128) / 128
    elif array.dtype.kind == "i":
        scale = _INTEGER_SCALE[array.dtype.str[1:]]
        samples = array.astype(np.float32) / np.float32(scale)
    else:
        with np.errstate(over="ignore"):
            samples = array.astype(np.float32)
    return np.ascontiguousarray(samples, dtype=np.float32)


def is_rounded(frame: Any, samples: Samples) -> bool:
    """Check whether `frame_to_float32` rounded 32-bit codes or doubles."""
    array = _channels(frame)
    if array.dtype.itemsize * 8 <= 24 or array.dtype == np.float32:
        return False
    exact = array / _INTEGER_SCALE["i4"] if array.dtype.kind == "i" else array
    return bool(np.any(samples != exact))


def _channels(frame: Any) -> NDArray[Any]:
    """Return a frame's samples unconverted, ``(n_channels, n)``.

    PyAV's ``to_ndarray`` cannot be used: with eight planes it reads a ninth from foreign memory
    (PyAV 18.1 counts to the first null pointer, and eight planes fill the list).
    """
    n_channels, n_samples = frame.layout.nb_channels, frame.samples
    dtype = np.dtype(SAMPLE_FORMATS[frame.format.name.rstrip("p")])
    if frame.format.is_planar:
        planes = frame.planes[:n_channels]
        return np.stack([np.frombuffer(plane, dtype, count=n_samples) for plane in planes])
    samples = np.frombuffer(frame.planes[0], dtype, count=n_samples * n_channels)
    return samples.reshape(n_samples, n_channels).T
