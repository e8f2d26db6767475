"""Waveform preview: minimum, maximum and RMS in a fixed number of bins."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import Samples

_DECIMALS = 4  # 1e-4 of full scale is a thousandth of a 100-pixel picture's pixel row


@dataclass(frozen=True, slots=True)
class Waveform:
    """Three lists of equal length, one value for each bin, linear full scale (nominal ±1).

    ``peaks_min`` and ``peaks_max`` are over all channels, ``rms`` is over all channels and samples.
    """

    peaks_min: list[float]
    peaks_max: list[float]
    rms: list[float]


def compute_peaks(blocks: Iterable[Samples], n_samples: int, n_bins: int = 800) -> Waveform:
    """Reduce a recording to ``n_bins`` bins, block by block.

    Parameters
    ----------
    blocks : float32, shape ``(n_channels, n)`` each, in order, ``n_samples`` in all. Missing
        samples at the end count as silence.
    n_samples : length of the recording; bin ``k`` covers samples ``k * n_samples // n_bins`` up to
        the next bin's start, and at least one, so that neighbours of a recording shorter than
        ``n_bins`` show the same sample.

    Returns
    -------
    `Waveform`, rounded to 4 decimals. Silence, and ``n_samples == 0``, give zeros.

    Raises
    ------
    ValueError : ``n_bins`` < 1, or more samples arrive than ``n_samples``.
    """
    if n_bins < 1:
        raise ValueError(f"n_bins must be positive, got {n_bins}")
    # A short recording is measured at one bin for each sample, then spread over the bins.
    n_cells = min(n_bins, max(n_samples, 1))
    starts = np.arange(n_cells, dtype=np.int64) * max(n_samples, 1) // n_cells
    low = np.full(n_cells, np.inf)
    high = np.full(n_cells, -np.inf)
    energy = np.zeros(n_cells)
    position = 0
    for block in blocks:
        if position + block.shape[1] > n_samples:
            raise ValueError(f"more than the {n_samples} announced samples")
        if block.size:
            _add_block(block, position, starts, low, high, energy)
        position += block.shape[1]
    low[~np.isfinite(low)] = 0.0
    high[~np.isfinite(high)] = 0.0
    counts = np.diff(np.append(starts, max(n_samples, 1)))
    cells = np.arange(n_bins) * n_cells // n_bins
    return Waveform(
        peaks_min=_rounded(low[cells]),
        peaks_max=_rounded(high[cells]),
        rms=_rounded(np.sqrt(energy / counts)[cells]),
    )


def _add_block(
    block: Samples,
    position: int,
    starts: NDArray[np.int64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    energy: NDArray[np.float64],
) -> None:
    """Add one block that starts at sample ``position`` to the cells that it overlaps."""
    first = int(np.searchsorted(starts, position, side="right")) - 1
    last = int(np.searchsorted(starts, position + block.shape[1], side="left"))
    edges = np.maximum(starts[first:last] - position, 0)
    cells = slice(first, last)
    low[cells] = np.minimum(low[cells], np.minimum.reduceat(block.min(axis=0), edges))
    high[cells] = np.maximum(high[cells], np.maximum.reduceat(block.max(axis=0), edges))
    power = np.mean(np.square(block, dtype=np.float64), axis=0)
    energy[cells] += np.add.reduceat(power, edges)


def _rounded(values: NDArray[np.float64]) -> list[float]:
    # Adding 0.0 turns -0.0 into 0.0, which reads better in JSON.
    return [float(value) for value in np.round(values, _DECIMALS) + 0.0]
