"""Viterbi decoding of states that seldom change: keys, chords and beat periods over time.

Reference: Viterbi, "Error bounds for convolutional codes and an asymptotically optimum decoding
algorithm", IEEE Transactions on Information Theory 13 (1967).
"""

import numpy as np
from numpy.typing import NDArray


def likeliest_path(scores: NDArray[np.float64], change: NDArray[np.float64]) -> NDArray[np.intp]:
    """Find the path with the largest sum of scores and costs of changes.

    Parameters
    ----------
    scores : score of each state at each step, ``(n_steps, n_states)``, additive as logarithms are.
    change : score of a change from a state (row) to another (column), ``(n_states, n_states)``;
        0 or less.

    Returns
    -------
    The state at each step, ``(n_steps,)``; of equal paths the one with the lower states.
    """
    n_steps, n_states = scores.shape
    origins = np.zeros((n_steps, n_states), dtype=np.intp)
    best = np.zeros(n_states)
    for step in range(n_steps):
        if step:
            arrivals = best[:, None] + change
            origins[step] = arrivals.argmax(axis=0)
            best = arrivals[origins[step], np.arange(n_states)]
        best = best + scores[step]
    path = np.zeros(n_steps, dtype=np.intp)
    if n_steps:
        path[-1] = best.argmax()
    for step in range(n_steps - 1, 0, -1):
        path[step - 1] = origins[step, path[step]]
    return path
