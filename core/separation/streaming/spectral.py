"""Short-time Fourier processing of a stream, block by block and without seams.

Frames lie on one grid over the whole stream (Hann window of 4096 samples, hop 1024), so the result
does not depend on the block sizes.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from core.audio.buffer import Samples

N_FFT = 4096
HOP_LENGTH = 1024
_N_HOPS = N_FFT // HOP_LENGTH
_WINDOW = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)).astype(np.float32)
# Constant sum of squared Hann windows at a hop of a quarter.
_GAIN = np.float32(1 / 1.5)

Spectra = NDArray[np.complex64]


def map_spectra(
    blocks: Iterator[Samples], change: Callable[[Spectra], Spectra]
) -> Iterator[Samples]:
    """Process the spectra of a stream.

    Parameters
    ----------
    blocks : float32, shape ``(..., n)`` each, adjoining.
    change : from spectra ``(..., n_frames, n_bins)`` to others of as many frames, whose leading
        axes may differ.

    Yields
    ------
    float32 blocks of the same total length as the stream. With unchanged spectra, samples are
    reconstructed to about 1e-7.
    """
    held: Samples | None = None
    tail: Samples | None = None
    n_in = n_out = 0
    to_drop = N_FFT - HOP_LENGTH  # before the first sample
    for block in blocks:
        n_in += block.shape[-1]
        if held is None:
            held = np.zeros((*block.shape[:-1], to_drop), dtype=np.float32)
        held = np.concatenate([held, block], axis=-1)
        n_frames = (held.shape[-1] - N_FFT) // HOP_LENGTH + 1
        if n_frames < 1:
            continue
        ready, tail = _change(held, n_frames, change, tail)
        held = held[..., n_frames * HOP_LENGTH :]
        ready, to_drop = ready[..., to_drop:], max(0, to_drop - ready.shape[-1])
        n_out += ready.shape[-1]
        if ready.shape[-1]:
            yield ready
    if held is not None and n_out < n_in:
        # Silence after the end, as needed by the frames of the last samples.
        missing = n_in - n_out + to_drop
        n_frames = -(-missing // HOP_LENGTH)
        n_more = max(0, (n_frames - 1) * HOP_LENGTH + N_FFT - held.shape[-1])
        held = np.concatenate([held, np.zeros((*held.shape[:-1], n_more), np.float32)], axis=-1)
        ready, _ = _change(held, n_frames, change, tail)
        yield ready[..., to_drop:missing]


def _change(
    held: Samples,
    n_frames: int,
    change: Callable[[Spectra], Spectra],
    tail: Samples | None,
) -> tuple[Samples, Samples]:
    """Return the samples that the next frames complete, and the tail that later frames add to."""
    frames = np.lib.stride_tricks.sliding_window_view(held, N_FFT, axis=-1)
    frames = frames[..., : (n_frames - 1) * HOP_LENGTH + 1 : HOP_LENGTH, :]
    changed = fft.irfft(change(fft.rfft(frames * _WINDOW)), N_FFT) * (_WINDOW * _GAIN)
    hops = changed.reshape(*changed.shape[:-1], _N_HOPS, HOP_LENGTH)
    total = np.zeros((*hops.shape[:-3], n_frames + _N_HOPS - 1, HOP_LENGTH), dtype=np.float32)
    if tail is not None:
        total[..., : _N_HOPS - 1, :] = tail
    for hop in range(_N_HOPS):
        total[..., hop : hop + n_frames, :] += hops[..., hop, :]
    ready = total[..., :n_frames, :].reshape(*total.shape[:-2], n_frames * HOP_LENGTH)
    return ready, total[..., n_frames:, :]
