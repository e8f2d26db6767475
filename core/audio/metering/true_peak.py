"""True peak: the largest value of a signal between its samples, ITU-R BS.1770-4 annex 2.

Four points for each sample are interpolated, but only where they can exceed the known peak: an
interpolated value is bounded by the sum of the taps' magnitudes times the samples that they reach.
For most music a tenth of the points remains.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import Samples

_HALF_TAPS = 16  # samples on either side of an interpolated value
_N_TAPS = 2 * _HALF_TAPS
_KAISER_BETA = 9.0  # 90 dB: flat to 0.9 of the Nyquist frequency
_CELL = 8  # outputs that are excluded together
_REACH = _N_TAPS // _CELL + 1  # cells of samples that affect a cell of outputs
_ROUNDING = 1.0001  # the bound is computed in float32
_FIRST_CELLS = 64
_SCANNED_AT_ONCE = 1 << 17  # samples; fits the processor's cache

_Matrix = NDArray[np.float32]


class TruePeakMeter:
    """Find the peak of the signal interpolated between its samples, block by block.

    4 points for each sample below 96 kHz, 2 below 192 kHz, 1 from there. A
    Kaiser-windowed sinc instead of the annex's example filter: it passes the samples themselves
    unchanged and reads less than 0.1 dB low up to 0.9 of the Nyquist frequency.
    """

    def __init__(self, sample_rate: int, n_channels: int) -> None:
        self._factor = 1 if sample_rate >= 192_000 else 2 if sample_rate >= 96_000 else 4
        self._peak = 0.0
        self._rest = np.zeros((n_channels, _N_TAPS - 1), dtype=np.float32)

    def add(self, block: Samples) -> None:
        """Add the next samples, float32 ``(n_channels, n)``."""
        if self._factor == 1:
            self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
            return
        for start in range(0, block.shape[1], _SCANNED_AT_ONCE):
            part = block[:, start : start + _SCANNED_AT_ONCE]
            self._rest = self._scan(np.concatenate([self._rest, part], axis=1))

    def value(self) -> float:
        """Return the peak, at least that of the samples; silence is assumed after the end."""
        if self._factor > 1:
            self._scan(np.pad(self._rest, ((0, 0), (0, _REACH * _CELL))))
        return self._peak

    def _scan(self, samples: Samples) -> Samples:
        """Examine the cells with all their samples; return the samples still needed."""
        n_cells = samples.shape[1] // _CELL - _REACH + 1
        if n_cells < 1:
            return samples
        bounds = _bounds(self._factor)
        levels = _cell_peaks(samples[:, : (n_cells + _REACH - 1) * _CELL])
        self._peak = max(self._peak, float(levels.max()))
        shifted = (levels[:, step : step + n_cells] for step in range(_REACH))
        loosest = sum(w * part for w, part in zip(bounds.max(axis=1), shifted, strict=True))
        # Most likely cells first: their peaks exclude most of the others.
        n_first = min(_FIRST_CELLS, loosest.size)
        self._look(samples, levels, np.argpartition(loosest, -n_first, axis=None)[-n_first:])
        self._look(samples, levels, np.flatnonzero(loosest > self._peak))
        return samples[:, n_cells * _CELL :].copy()

    def _look(self, samples: Samples, levels: _Matrix, cells: NDArray[np.intp]) -> None:
        """Interpolate in the cells, numbered channel after channel, that may exceed the peak."""
        channels, firsts = np.divmod(cells, levels.shape[1] - _REACH + 1)
        places = channels * levels.shape[1] + firsts
        reached = levels.take(places + np.arange(_REACH)[:, None])
        is_open = (_bounds(self._factor).T @ reached).max(axis=0, initial=0.0) > self._peak
        matrix = _interpolator(self._factor)
        stretches = np.lib.stride_tricks.sliding_window_view(samples, len(matrix), axis=1)
        points = stretches[channels[is_open], firsts[is_open] * _CELL] @ matrix
        self._peak = max(self._peak, float(np.abs(points).max(initial=0.0)))


def interpolation_taps(factor: int) -> NDArray[np.float64]:
    """Return the filters of ``factor - 1`` points between samples 15 and 16 of 32.

    Returns
    -------
    ``(factor - 1, 32)``, each row of sum 1: point ``i`` lies ``(i + 1) / factor`` after sample 15.
    """
    phases = np.arange(1, factor)[:, None] / factor
    distance = np.arange(_N_TAPS) - _HALF_TAPS + 1 - phases
    reach = np.sqrt(np.clip(1 - (distance / _HALF_TAPS) ** 2, 0, None))
    taps = np.sinc(distance) * np.i0(_KAISER_BETA * reach)
    normalised: NDArray[np.float64] = taps / taps.sum(axis=1, keepdims=True)
    return normalised


@cache
def _interpolator(factor: int) -> _Matrix:
    """Return ``(39, 8 * (factor - 1))``: from the samples reached to the points of a cell."""
    matrix = np.zeros((_CELL + _N_TAPS - 1, factor - 1, _CELL), dtype=np.float32)
    for output in range(_CELL):
        matrix[output : output + _N_TAPS, :, output] = interpolation_taps(factor).T
    return matrix.reshape(len(matrix), -1)


@cache
def _bounds(factor: int) -> _Matrix:
    """Return ``(5, 8 * (factor - 1))``: bound of the contribution of a cell within ±1."""
    magnitudes = np.pad(np.abs(_interpolator(factor)), ((0, 1), (0, 0)))
    bounds: _Matrix = magnitudes.reshape(_REACH, _CELL, -1).sum(axis=1) * np.float32(_ROUNDING)
    return bounds


def _cell_peaks(samples: _Matrix) -> _Matrix:
    """Return the largest magnitude of every 8 samples, by halving, as short rows are slow."""
    peaks = np.abs(samples).view(np.uint32)  # same order as the floats, and faster to compare
    for _ in range(_CELL.bit_length() - 1):
        peaks = np.maximum(peaks[:, ::2], peaks[:, 1::2])
    return peaks.view(np.float32)
