"""Harmonic-percussive separation of a mixture, block by block.

A tone is a line along time in the spectrogram, an attack a line along frequency. A median filter
along either axis keeps the one and drops the other; the two filtered spectrograms form soft masks.
Every block is filtered together with the frames of context that the filters need, so the result
equals that of the whole file while memory holds one block.

Conventions: frames are centred, as librosa's are; edges of the file are padded with silence for the
transform and mirrored for the filters.

References: FitzGerald, "Harmonic/percussive separation using median filtering", DAFx 2010;
Driedger, Müller & Disch, "Extending harmonic-percussive separation of audio signals", ISMIR 2014
(the margins).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import median_filter
from scipy.signal import get_window

Samples = NDArray[np.float32]
Read = Callable[[int, int], Samples]


def split_blocks(
    read: Read,
    n_samples: int,
    n_channels: int,
    *,
    kernel_size: int = 31,
    margin: tuple[float, float] = (1.0, 1.0),
    n_fft: int = 2048,
    hop_length: int = 512,
    power: float = 2.0,
    block_frames: int = 1024,
) -> Iterator[tuple[Samples, Samples]]:
    """Split a mixture into harmonic and percussive parts, channel by channel.

    Parameters
    ----------
    read : ``read(start, count)`` returns float32 of shape ``(n_channels, count)``. It is called for
        ranges inside the mixture only, in ascending order; a range overlaps the one before.
    n_samples, n_channels : shape of the mixture.
    kernel_size : length of both median filters, in frames and in bins.
    margin : how many times larger, for harmonic and for percussive, a part must be than the other
        to get a bin; at least 1. With ``(1, 1)`` harmonic + percussive equals the mixture to the
        rounding of float32; with larger margins, bins that neither part dominates are dropped.
    n_fft, hop_length : of the transform, in samples; ``hop_length`` at most a quarter of ``n_fft``.
    power : exponent of the soft masks; more is harder.
    block_frames : frames a block; memory grows with it and not with ``n_samples``.

    Yields
    ------
    ``(harmonic, percussive)``, float32 of shape ``(n_channels, count)``: adjoining blocks that
    cover the mixture. No samples yield no block, less than a frame yields one. Silence yields
    exact silence.

    Raises
    ------
    ValueError : a parameter is outside its range.
    """
    if min(margin) < 1 or kernel_size < 1 or power <= 0 or block_frames < 1:
        raise ValueError("margin and kernel_size are at least 1, power is above 0")
    if not 0 < hop_length <= n_fft // 4:
        raise ValueError("hop_length is at most a quarter of n_fft")
    if n_samples:
        plan = _Plan(n_samples, n_channels, n_fft, hop_length, kernel_size, margin, power)
        yield from _split(read, plan, block_frames)


@dataclass(frozen=True, slots=True)
class _Plan:
    n_samples: int
    n_channels: int
    n_fft: int
    hop_length: int
    kernel_size: int
    margin: tuple[float, float]
    power: float

    @property
    def n_frames(self) -> int:
        return 1 + self.n_samples // self.hop_length

    def start_of(self, frame: int) -> int:
        """Return the first sample of a frame; negative where the frame overlaps the start."""
        return frame * self.hop_length - self.n_fft // 2


def _split(read: Read, plan: _Plan, block_frames: int) -> Iterator[tuple[Samples, Samples]]:
    window = get_window("hann", plan.n_fft).astype(np.float32)
    overlap = plan.n_fft - plan.hop_length
    # Sums that the frames of the next block still add to: both parts and the window's square.
    tail = np.zeros((2, plan.n_channels, overlap), dtype=np.float32)
    weight_tail = np.zeros(overlap, dtype=np.float32)
    for first in range(0, plan.n_frames, block_frames):
        last = min(first + block_frames, plan.n_frames)
        origin, signal = _read_with_context(read, plan, first, last)
        channels = [_filter_channel(row, plan, window, origin, first, last) for row in signal]
        sums = np.stack(channels, axis=1)
        weights = _overlap_add(np.tile(window**2, (last - first, 1)), plan.hop_length)
        sums[..., :overlap] += tail
        weights[:overlap] += weight_tail
        tail, weight_tail = sums[..., -overlap:].copy(), weights[-overlap:].copy()

        start = max(0, plan.start_of(first))
        stop = plan.n_samples if last == plan.n_frames else plan.start_of(last)
        if stop <= start:
            continue
        ready = slice(start - plan.start_of(first), stop - plan.start_of(first))
        harmonic, percussive = sums[..., ready] / weights[ready]
        if plan.margin == (1.0, 1.0):
            offset = start - plan.start_of(origin)
            percussive = signal[:, offset : offset + stop - start] - harmonic
        yield harmonic, percussive


def _read_with_context(
    read: Read, plan: _Plan, first: int, last: int
) -> tuple[int, NDArray[np.float32]]:
    """Read the frames from first to last with the context of the filter along time.

    Returns the first frame read and its samples on, padded with zeros beyond the file.
    """
    context = plan.kernel_size // 2
    origin, end = max(0, first - context), min(plan.n_frames, last + context)
    start, stop = plan.start_of(origin), plan.start_of(end - 1) + plan.n_fft
    inside = slice(max(0, start), min(plan.n_samples, stop))
    samples = read(inside.start, inside.stop - inside.start)
    padding = ((0, 0), (inside.start - start, stop - inside.stop))
    return origin, np.pad(samples, padding)


def _filter_channel(
    row: NDArray[np.float32],
    plan: _Plan,
    window: NDArray[np.float32],
    origin: int,
    first: int,
    last: int,
) -> NDArray[np.float32]:
    """Return both parts of a channel, frames first to last overlap-added: ``(2, …)``."""
    frames = np.lib.stride_tricks.sliding_window_view(row, plan.n_fft)[:: plan.hop_length]
    spectrum = fft.rfft(frames * window)
    magnitude = np.abs(spectrum)
    wanted = slice(first - origin, last - origin)
    harmonic = _median_rows(magnitude.T, plan.kernel_size).T[wanted]
    percussive = _median_rows(magnitude[wanted], plan.kernel_size)
    is_split_evenly = plan.margin == (1.0, 1.0)
    masks = (
        _soft_mask(harmonic, percussive * plan.margin[0], plan.power, is_split_evenly),
        _soft_mask(percussive, harmonic * plan.margin[1], plan.power, is_split_evenly),
    )
    return np.stack(
        [
            _overlap_add(fft.irfft(spectrum[wanted] * mask, plan.n_fft) * window, plan.hop_length)
            for mask in masks
        ]
    )


def _median_rows(rows: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Filter each row with a running median, mirrored at its ends.

    Row by row, because SciPy's filter for one dimension is many times faster than that for two;
    mirrored here, because that filter reads beyond rows that are shorter than itself.
    """
    context = size // 2
    n_columns = rows.shape[1]
    padded = np.pad(rows, ((0, 0), (context, context)), mode="symmetric")
    filtered = np.empty(rows.shape, dtype=np.float32)
    for index, row in enumerate(padded):
        filtered[index] = median_filter(row, size=size)[context : context + n_columns]
    return filtered


def _soft_mask(
    part: NDArray[np.float32], rival: NDArray[np.float32], power: float, is_split_evenly: bool
) -> NDArray[np.float32]:
    """Return the part's share of each bin; 0.5 or 0 where both parts are zero."""
    larger = np.maximum(part, rival)
    is_nothing = larger < np.finfo(np.float32).tiny
    larger[is_nothing] = 1
    mine, theirs = (part / larger) ** power, (rival / larger) ** power
    total = mine + theirs
    total[is_nothing] = 1
    mask = (mine / total).astype(np.float32)
    mask[is_nothing] = 0.5 if is_split_evenly else 0.0
    return mask


def _overlap_add(frames: NDArray[np.float32], hop_length: int) -> NDArray[np.float32]:
    """Add up overlapping frames, ``(n_frames, n_fft)``, to one signal."""
    n_frames, n_fft = frames.shape
    signal = np.zeros((n_frames - 1) * hop_length + n_fft, dtype=np.float32)
    for index, frame in enumerate(frames):
        signal[index * hop_length : index * hop_length + n_fft] += frame
    return signal
