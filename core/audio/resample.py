"""Sample-rate conversion by soxr, used everywhere in Stemcrate.

The phase is linear and the delay compensated: a stem resampled to a model's rate and back stays
aligned with the mixture to the sample, as the null test requires.
"""

from math import gcd

import numpy as np
import soxr

from core.audio.buffer import Samples, validate_block

QUALITY = "VHQ"
_MEASURING_QUALITY = "HQ"


def resample(
    samples: Samples, from_rate: int, to_rate: int, *, n_samples: int | None = None
) -> Samples:
    """Convert an array to another sample rate.

    Parameters
    ----------
    samples : float32, shape ``(n_channels, n)``; not mutated.
    from_rate, to_rate : Hz, positive.
    n_samples : length of the result, which is cut or padded with zeros; default
        `resampled_length`.

    Returns
    -------
    float32, shape ``(n_channels, n_samples)``. Equal rates give a copy.

    Raises
    ------
    ValueError : a rate is not positive, the length is negative, or the array is not 2-D.
    """
    validate_block(samples, n_channels=samples.shape[0])
    if n_samples is None:
        n_samples = resampled_length(samples.shape[1], from_rate, to_rate)
    if n_samples < 0:
        raise ValueError(f"n_samples must not be negative, got {n_samples}")
    converted = samples
    if from_rate != to_rate and samples.shape[1]:
        interleaved = np.ascontiguousarray(samples.T)
        converted = soxr.resample(interleaved, from_rate, to_rate, quality=QUALITY).T
    result = np.zeros((samples.shape[0], n_samples), dtype=np.float32)
    n = min(n_samples, converted.shape[1])
    result[:, :n] = converted[:, :n]
    return result


def resampled_length(n_samples: int, from_rate: int, to_rate: int) -> int:
    """Return the length of a conversion: ``n_samples * to_rate / from_rate``, rounded.

    Raises
    ------
    ValueError : a rate isn't positive.
    """
    if from_rate < 1 or to_rate < 1:
        raise ValueError(f"sample rates must be positive, got {from_rate} and {to_rate}")
    divisor = gcd(from_rate, to_rate)
    up, down = to_rate // divisor, from_rate // divisor
    return (2 * n_samples * up + down) // (2 * down)


class StreamResampler:
    """Convert block by block; gives the same samples as `resample` on the whole.

    Call `flush` once after the last block. With ``is_heard`` false, for analysis only, it computes
    with 20 bits instead of 28, in half the time.
    """

    def __init__(
        self, from_rate: int, to_rate: int, n_channels: int, *, is_heard: bool = True
    ) -> None:
        self._n_channels = n_channels
        self._stream = soxr.ResampleStream(
            from_rate,
            to_rate,
            n_channels,
            dtype="float32",
            quality=QUALITY if is_heard else _MEASURING_QUALITY,
        )

    def add(self, block: Samples) -> Samples:
        """Add a block ``(n_channels, n)`` and return the finished samples, ``(n_channels, m)``."""
        validate_block(block, n_channels=self._n_channels)
        return self._convert(block, last=False)

    def flush(self) -> Samples:
        """Return the remaining samples, ``(n_channels, m)``."""
        return self._convert(np.zeros((self._n_channels, 0), dtype=np.float32), last=True)

    def _convert(self, block: Samples, *, last: bool) -> Samples:
        frames = self._stream.resample_chunk(np.ascontiguousarray(block.T), last=last)
        return np.ascontiguousarray(frames.T, dtype=np.float32)
