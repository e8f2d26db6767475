"""Learned rankers of candidates: linear scores and a softmax.

`bench.train_rhythm` trains the weights in ``weights/rhythm.npz``.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_WEIGHTS = Path(__file__).parents[1] / "weights" / "rhythm.npz"

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranker:
    """Linear weights over standardised features, ``(n_features,)`` each."""

    mean: _Array
    scale: _Array
    weights: _Array

    def score(self, features: _Array) -> _Array:
        """Return the score (a log-probability up to a constant) of each row of features."""
        scores: _Array = (features - self.mean) / self.scale @ self.weights
        return scores


@cache
def load_ranker(name: str) -> Ranker:
    """Load the weights of ``level``, ``phase``, ``downbeat`` or ``confidence``."""
    with np.load(_WEIGHTS, allow_pickle=False) as arrays:
        return Ranker(
            *(arrays[f"{name}_{part}"].astype(np.float64) for part in ("mean", "scale", "weights"))
        )


def softmax(scores: _Array) -> _Array:
    """Convert scores to probabilities that sum to 1, ``(n,)``; n may be 0."""
    if not scores.size:
        return scores
    raised = np.exp(scores - scores.max())
    probabilities: _Array = raised / raised.sum()
    return probabilities
