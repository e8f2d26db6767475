"""K-weighting filter of ITU-R BS.1770-4, computed as matrix products.

In blocks of 64 samples the recursive filter becomes a product (samples to outputs and to the next
state), a recursion over the states of blocks, and a second product (states to outputs). This takes
two thirds of the time of the recursion over samples, with an error of at most 2e-7 of full scale in
float32. The states of each section are scaled to unit variance for white noise; otherwise the
high-pass would lose its low frequencies in rounding.

The filter is derived for each sample rate from the analogue prototype of the coefficients that
the standard lists for 48 kHz (De Man, "Evaluation of implementations of the EBU R128 loudness
measurement", AES 145, 2018).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, solve_discrete_lyapunov
from scipy.signal import sosfilt

from core.audio.buffer import Samples

_BLOCK = 64
_FADED = 1e-9  # of a state: negligible for later blocks

_Matrix = NDArray[np.float32]
_Array = NDArray[np.float64]


class KWeighting:
    """Filter block by block; the result does not depend on the block sizes.

    Parameters
    ----------
    sample_rate : in Hz.
    n_channels : any number; channels are filtered independently.
    """

    def __init__(self, sample_rate: int, n_channels: int) -> None:
        self._filter = _as_products(sample_rate)
        self._state = np.zeros((n_channels, 4))

    def add(self, block: Samples) -> Samples:
        """Return the next samples filtered, float32 of the same shape."""
        n_whole = block.shape[1] - block.shape[1] % _BLOCK
        parts = [self._filter_blocks(block[:, :n_whole])] if n_whole else []
        if n_whole < block.shape[1]:
            parts.append(self._filter_rest(block[:, n_whole:]))
        return parts[0] if len(parts) == 1 else np.concatenate([block[:, :0], *parts], axis=1)

    def _filter_blocks(self, samples: Samples) -> Samples:
        n_channels, n_blocks = len(samples), samples.shape[1] // _BLOCK
        products = samples.reshape(-1, _BLOCK) @ self._filter.of_samples
        products = products.reshape(n_channels, n_blocks, -1)
        states = np.empty((n_channels, n_blocks + 1, 4))
        states[:, 0], states[:, 1:] = self._state, products[:, :, _BLOCK:]
        # Add the state of 1, 2, 4 … blocks before; after a few doublings it has decayed.
        for doubling, transition in enumerate(self._filter.transitions):
            step = 1 << doubling
            states[:, step:] += states[:, :-step] @ transition
        self._state = states[:, -1]
        weighted = products[:, :, :_BLOCK]
        weighted += states[:, :-1].astype(np.float32) @ self._filter.of_state
        return weighted.reshape(n_channels, -1)

    def _filter_rest(self, samples: Samples) -> Samples:
        scale = self._filter.scale
        state = (self._state @ scale).reshape(-1, 2, 2).swapaxes(0, 1)
        weighted, state = sosfilt(self._filter.sections, samples, axis=1, zi=state)
        self._state = np.linalg.solve(scale.T, state.swapaxes(0, 1).reshape(-1, 4).T).T
        rest: Samples = weighted.astype(np.float32)
        return rest


@dataclass(frozen=True, slots=True)
class _Products:
    """The filter as matrices, for rows of samples and of states.

    Parameters
    ----------
    sections : second-order sections ``(2, 6)``.
    of_samples : 64 samples to 64 outputs and to the next state, ``(64, 68)``.
    of_state : the state before a block to its outputs, ``(4, 64)``.
    transitions : the state over 1, 2, 4 … blocks, until it has decayed, ``(4, 4)`` each.
    scale : the state to that of the sections in scipy's form, ``(4, 4)``.
    """

    sections: _Array
    of_samples: _Matrix
    of_state: _Matrix
    transitions: tuple[_Array, ...]
    scale: _Array


@cache
def _as_products(sample_rate: int) -> _Products:
    sections = design_k_weighting(sample_rate)
    (step1, gain1, out1, direct1, scale1), (step2, gain2, out2, direct2, scale2) = map(
        _normalise, sections
    )
    # In series: the output of the first section is the input of the second.
    step = np.block([[step1, np.zeros((2, 2))], [np.outer(gain2, out1), step2]])
    gain = np.concatenate([gain1, gain2 * direct1])
    out = np.concatenate([direct2 * out1, out2])
    powers = [np.eye(4)]
    for _ in range(_BLOCK):
        powers.append(step @ powers[-1])
    left = np.array([power @ gain for power in powers])
    response = np.concatenate([[direct1 * direct2], left[: _BLOCK - 1] @ out])
    rows, columns = np.indices((_BLOCK, _BLOCK))
    within = np.where(columns >= rows, response[np.abs(columns - rows)], 0)
    transitions = [powers[_BLOCK].T]
    while np.abs(transitions[-1]).max() > _FADED:
        transitions.append(transitions[-1] @ transitions[-1])
    return _Products(
        sections=sections,
        of_samples=np.concatenate([within, left[_BLOCK - 1 :: -1]], axis=1).astype(np.float32),
        of_state=np.array([out @ power for power in powers[:_BLOCK]]).T.astype(np.float32),
        transitions=tuple(transitions),
        scale=block_diag(scale1, scale2).T,
    )


def _normalise(section: _Array) -> tuple[_Array, _Array, _Array, float, _Array]:
    """Return a second-order section whose states have variance 1 for white noise.

    Returns
    -------
    State transition ``(2, 2)``, input to state ``(2,)``, state to output ``(2,)``, input to output,
    and the matrix from this state to that of the given section ``(2, 2)``.
    """
    b0, b1, b2, _, a1, a2 = section
    step = np.array([[-a1, 1.0], [-a2, 0.0]])
    gain = np.array([b1 - a1 * b0, b2 - a2 * b0])
    scale = np.linalg.cholesky(solve_discrete_lyapunov(step, np.outer(gain, gain)))
    return (
        np.linalg.solve(scale, step @ scale),
        np.linalg.solve(scale, gain),
        scale[0],
        float(b0),
        scale,
    )


def design_k_weighting(sample_rate: int) -> _Array:
    """Return BS.1770's K-weighting (shelf, then high-pass) as second-order sections ``(2, 6)``."""
    f0, gain_db, q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
    k = np.tan(np.pi * f0 / sample_rate)
    vh = 10 ** (gain_db / 20)
    vb = vh**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = [
        (vh + vb * k / q + k * k) / a0,
        2 * (k * k - vh) / a0,
        (vh - vb * k / q + k * k) / a0,
        1.0,
        2 * (k * k - 1) / a0,
        (1 - k / q + k * k) / a0,
    ]
    f0, q = 38.13547087602444, 0.5003270373238773
    k = np.tan(np.pi * f0 / sample_rate)
    a0 = 1 + k / q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]
    return np.array([shelf, high_pass])
