"""Acoustic fingerprints: one 32-bit hash every 124 ms, stable across encodings.

Chromaprint's algorithm if its C library is installed, else the signs of differences of band
energies (Haitsma & Kalker). The algorithm's name is stored with the hashes; hashes of different
algorithms cannot be compared. Only the first two minutes are used.

Conventions: one uint32 hash every `ITEM_S` seconds. Both algorithms work at
11,025 Hz on frames of 4096 samples, 1365 apart.

References: Haitsma & Kalker, "A highly robust audio fingerprinting system", ISMIR 2002;
https://acoustid.org/chromaprint.
"""

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import Samples
from core.audio.resample import StreamResampler

Hashes = NDArray[np.uint32]

LENGTH_S = 120.0
_RATE_HZ = 11_025
_FRAME = 4096
_HOP = 1365
ITEM_S = _HOP / _RATE_HZ
_N_BITS = 32
_LOWEST_HZ, _HIGHEST_HZ = 300.0, 3000.0


class Algorithm(StrEnum):
    """Algorithm and version of hashes; the version is raised when hashes change."""

    CHROMAPRINT = "chromaprint-2"
    BANDS = "bands-1"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hashes of a recording, shape (n_items,); empty if it is silent or shorter than a frame."""

    algorithm: Algorithm
    hashes: Hashes


class Fingerprinter(Protocol):
    """Computes a fingerprint block by block."""

    def add(self, block: Samples) -> None:
        """Add the next float32 block ``(n_channels, n)``; audio after `LENGTH_S` is ignored."""

    def finish(self) -> Fingerprint:
        """Return the fingerprint; call it once."""


def make_fingerprinter(sample_rate: int, n_channels: int) -> Fingerprinter:
    """Return the best available fingerprinter."""
    chromaprint = _find_chromaprint()
    if chromaprint is None:
        return BandFingerprinter(sample_rate, n_channels)
    return ChromaprintFingerprinter(chromaprint, sample_rate, n_channels)


class ChromaprintFingerprinter:
    """Chromaprint by its C library; ``library`` is its wrapper module."""

    def __init__(self, library: Any, sample_rate: int, n_channels: int) -> None:
        self._library = library
        self._fingerprinter = library.Fingerprinter()
        self._fingerprinter.start(sample_rate, n_channels)
        self._n_left = round(LENGTH_S * sample_rate)
        self._is_silent = True

    def add(self, block: Samples) -> None:
        """Add the next block."""
        part = block[:, : self._n_left]
        self._n_left -= part.shape[1]
        if part.any():
            self._is_silent = False
        codes = np.round(np.clip(part, -1.0, 1.0) * 32767.0).astype("<i2")
        self._fingerprinter.feed(codes.T.tobytes())

    def finish(self) -> Fingerprint:
        """Return the fingerprint."""
        encoded = self._fingerprinter.finish()
        hashes, _ = self._library.decode_fingerprint(encoded) if encoded else ([], 0)
        if self._is_silent:
            hashes = []
        return Fingerprint(Algorithm.CHROMAPRINT, np.array(hashes, dtype=np.uint32))


class BandFingerprinter:
    """Signs of energy differences between adjacent bands and frames; needs no library."""

    def __init__(self, sample_rate: int, n_channels: int) -> None:
        self._resampler = StreamResampler(sample_rate, _RATE_HZ, 1)
        self._n_left = round(LENGTH_S * sample_rate)
        self._parts: list[Samples] = []

    def add(self, block: Samples) -> None:
        """Add the next block."""
        part = block[:, : self._n_left].mean(axis=0, keepdims=True)
        self._n_left -= part.shape[1]
        if part.shape[1]:
            self._parts.append(self._resampler.add(part))

    def finish(self) -> Fingerprint:
        """Return the fingerprint."""
        mono = np.concatenate([*self._parts, self._resampler.flush()], axis=1)[0]
        return Fingerprint(Algorithm.BANDS, _hash_bands(mono))


def _hash_bands(mono: NDArray[np.float32]) -> Hashes:
    if len(mono) < _FRAME + _HOP or not mono.any():
        return np.zeros(0, dtype=np.uint32)
    frames = np.lib.stride_tricks.sliding_window_view(mono, _FRAME)[::_HOP]
    spectra = np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)) ** 2
    edges_hz = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _N_BITS + 2)
    edges = np.round(edges_hz * _FRAME / _RATE_HZ).astype(np.intp)
    energies = np.add.reduceat(spectra, edges, axis=1)[:, :-1]
    slopes = np.diff(energies, axis=1)
    bits = np.diff(slopes, axis=0) < 0
    packed = np.packbits(bits, axis=1)
    return packed.view(">u4")[:, 0].astype(np.uint32)


def _find_chromaprint() -> Any | None:
    """Return the wrapper of libchromaprint, or None if the C library is not installed."""
    try:
        return import_module("chromaprint")
    except ImportError:
        return None
