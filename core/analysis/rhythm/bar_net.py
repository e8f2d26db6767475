"""Network of bars: is this grid the beat, and where do bars begin?

Beat by beat it reads the patterns between beats (`core.analysis.rhythm.patterns`), looks at 32
beats before and after by dilated convolutions, and says how well the grid fits, and how likely each
beat begins a bar. It hears no tempo: grids half a beat off or at half the tempo have other
patterns.

Reference: Davies & Böck, "Temporal convolutional networks for musical audio beat tracking", EUSIPCO
2019 (the dilated convolutions; there on frames, here on beats).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.analysis.rhythm.patterns import Strokes, cut_beats

DILATIONS = (1, 2, 4, 8, 16)
"""Distance in beats of the three taps of each layer."""
MOST = 5.0
"""What the network says of one beat lies within ±5: no beat decides for the others."""
_WEIGHTS = Path(__file__).parents[1] / "weights" / "bars.npz"

_Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BarScores:
    """What the network says of the beats of one grid.

    Parameters
    ----------
    fit : how well the grid fits around each beat, ``(n_beats,)``; the means of several grids are
        log-probabilities up to a constant.
    downbeat : log-odds that a beat begins a bar, ``(n_beats,)``.
    """

    fit: _Matrix
    downbeat: _Matrix


def score_beats(strokes: Strokes, beats_s: NDArray[np.float64]) -> BarScores:
    """Score a grid of at least 2 beats, ascending in seconds."""
    return run(load_weights(), cut_beats(strokes, beats_s))


def run(weights: Mapping[str, _Matrix], rows: _Matrix) -> BarScores:
    """Apply the network to the features of beats, ``(n_beats, WIDTH)``."""
    # The first layer sees the beat before, the beat and the beat after.
    hidden = np.maximum(0, _convolve(rows, weights["first"], 1) + weights["first_bias"])
    for layer, dilation in enumerate(DILATIONS):
        turned = _convolve(hidden, weights[f"taps_{layer}"], dilation)
        hidden = hidden + np.maximum(0, turned + weights[f"taps_{layer}_bias"])
    out = MOST * np.tanh((hidden @ weights["out"] + weights["out_bias"]) / MOST)
    return BarScores(out[:, 0], out[:, 1])


@cache
def load_weights() -> dict[str, _Matrix]:
    """Load the weights, by the names that `run` reads."""
    with np.load(_WEIGHTS, allow_pickle=False) as arrays:
        return {name: arrays[name].astype(np.float32) for name in arrays.files}


def _convolve(rows: _Matrix, taps: _Matrix, dilation: int) -> _Matrix:
    """Convolve ``(n, n_in)`` with three taps, ``(3, n_in, n_out)``; zeros lie outside."""
    found: _Matrix = rows @ taps[1]
    if dilation < len(rows):
        found[dilation:] += rows[:-dilation] @ taps[0]
        found[:-dilation] += rows[dilation:] @ taps[2]
    return found
