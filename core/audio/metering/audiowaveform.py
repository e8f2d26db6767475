"""Waveforms in the file formats of audiowaveform, as read by peaks.js and waveform-data.js.

A binary file is a header of six little-endian 32-bit numbers, then minimum and maximum of every
channel of every pixel, one byte each; the JSON form holds the same numbers. The JSON form has an
additional ``bands``, which other readers ignore.

A ``.bands`` file holds the bands of the pixels of the ``.dat`` beside it: the same header, with the
number of bands instead of channels, then the levels ``low``, ``mid`` and ``high`` of every pixel,
one unsigned byte ``b`` each. ``(b / 255) ** 2`` is the root mean square, full scale is 1: so quiet
treble has steps left (-96 to 0 dB).

Reference: BBC audiowaveform, ``doc/DataFormat.md``, version 2.
"""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.audio.metering.waveform_data import WaveformLevel

BAND_NAMES = ("low", "mid", "high")

_HEADER = struct.Struct("<iIiiIi")
_VERSION = 2
_IS_8_BIT = 1
_FULL_SCALE = 128


def encode_dat(level: WaveformLevel, sample_rate: int) -> bytes:
    """Encode one level as a ``.dat`` file, 8 bits; ``sample_rate`` of the recording in Hz."""
    n_channels, n_pixels = level.low.shape
    header = _HEADER.pack(
        _VERSION, _IS_8_BIT, sample_rate, level.samples_per_pixel, n_pixels, n_channels
    )
    return header + _interleave(level).tobytes()


def encode_bands(level: WaveformLevel, sample_rate: int) -> bytes:
    """Encode the bands of one level as a ``.bands`` file; ``sample_rate`` of the recording."""
    n_pixels, n_bands = level.band_rms.shape
    header = _HEADER.pack(
        _VERSION, _IS_8_BIT, sample_rate, level.samples_per_pixel, n_pixels, n_bands
    )
    codes: NDArray[np.float64] = np.clip(np.rint(np.sqrt(level.band_rms) * 255), 0, 255)
    return header + codes.astype(np.uint8).tobytes()


def encode_json(level: WaveformLevel, sample_rate: int) -> dict[str, Any]:
    """Encode one level as a JSON object, 8 bits.

    ``bands`` holds the root mean squares ``low``, ``mid`` and ``high``, each a number from 0 to 255
    (full scale) for each pixel.
    """
    n_channels, n_pixels = level.low.shape
    bands = np.clip(np.rint(level.band_rms * 255), 0, 255).astype(int)
    return {
        "version": _VERSION,
        "channels": n_channels,
        "sample_rate": sample_rate,
        "samples_per_pixel": level.samples_per_pixel,
        "bits": 8,
        "length": n_pixels,
        "data": _interleave(level).ravel().tolist(),
        "bands": {name: bands[:, k].tolist() for k, name in enumerate(BAND_NAMES)},
    }


def _interleave(level: WaveformLevel) -> NDArray[np.int8]:
    """Return 8-bit minimum and maximum, ``(n_pixels, n_channels, 2)``."""
    pairs = np.stack([level.low.T, level.high.T], axis=2)
    codes = np.clip(np.rint(pairs * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
    return np.ascontiguousarray(codes, dtype=np.int8)
