"""A network for short segments, run over a mixture of any length.

The segments overlap, each is weighted by a triangle, and the sum is divided by the sum of the
triangles: what ``demucs.apply.apply_model(shifts=0, split=True)`` computes, in the same order of
operations, without holding more than one segment's stems. One difference: a last segment that the
one before covers already is not run. That changes samples of the last overlap alone, where two
estimates would have been averaged, and saves one of two networks' runs on a short clip.

Reference: Défossez et al., "Hybrid Spectrogram and Waveform Source Separation", ISMIR 2021
workshop on music source separation; ``demucs/apply.py`` of demucs 4.1.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn import functional

Tensor = Any  # torch is untyped here.
Network = Callable[[Tensor], Tensor]
# (start, stop) -> the mixture's samples, shape (n_channels, stop - start), 0 <= start < stop.
Read = Callable[[int, int], Tensor]

OVERLAP = 0.25


def segment_offsets(n_samples: int, segment: int, overlap: float = OVERLAP) -> list[int]:
    """Give the first sample of each segment; the last is the first that reaches the end.

    Parameters
    ----------
    n_samples, segment : lengths in samples, at least 1.
    overlap : share of a segment that the next one covers, in [0, 1).
    """
    stride = max(1, int((1 - overlap) * segment))
    last = max(0, -(-(n_samples - segment) // stride))
    return [i * stride for i in range(last + 1)]


def triangle(segment: int) -> Tensor:
    """Give a segment's weights, float32, shape ``(segment,)``, in (0, 1], largest in the middle."""
    half = segment // 2
    weights = torch.cat([torch.arange(1, half + 1), torch.arange(segment - half, 0, -1)])
    return weights / weights.max()


def overlap_add(
    network: Network,
    read: Read,
    n_samples: int,
    *,
    segment: int,
    on_segment: Callable[[float], None],
    valid_length: Callable[[int], int] | None = None,
    overlap: float = OVERLAP,
) -> Iterator[tuple[int, Tensor]]:
    """Run a network over a mixture, and give the stems block by block.

    Parameters
    ----------
    network : from ``(1, n_channels, n)`` to ``(1, n_stems, n_channels, n)``.
    read : gives samples of the mixture.
    n_samples : length of the mixture, at least 1.
    segment : length of a segment in samples.
    on_segment : called before the first and after every segment with the share that is done; may
        raise to end the work.
    valid_length : from a segment's length to the length that the network wants; it is filled up on
        both sides with what lies there, and with zeros beyond the ends.

    Yields
    ------
    ``(start, stems)``, stems float32 on the CPU, shape ``(n_stems, n_channels, n)``; the blocks
    follow each other without a gap and end at ``n_samples``.
    """
    offsets = segment_offsets(n_samples, segment, overlap)
    weights = triangle(segment)
    tail: Tensor = None
    tail_weights: Tensor = None
    on_segment(0.0)
    for i, offset in enumerate(offsets):
        length = min(segment, n_samples - offset)
        wanted = length if valid_length is None else valid_length(length)
        output = network(_read_centred(read, offset, length, wanted, n_samples)[None])[0]
        start = (output.shape[-1] - length) // 2
        stems = weights[:length] * output[..., start : start + length].cpu()
        total = weights[:length].clone()
        if tail is not None:
            n = tail.shape[-1]
            # The order in which demucs adds: what came before, then this segment.
            stems[..., :n] = tail + stems[..., :n]
            total[:n] = tail_weights + total[:n]
        stop = offsets[i + 1] if i + 1 < len(offsets) else n_samples
        ready = stop - offset
        yield offset, stems[..., :ready] / total[:ready]
        tail, tail_weights = stems[..., ready:].clone(), total[ready:].clone()
        on_segment((i + 1) / len(offsets))


def _read_centred(read: Read, offset: int, length: int, wanted: int, n_samples: int) -> Tensor:
    start = offset - (wanted - length) // 2
    stop = start + wanted
    samples = read(max(0, start), min(n_samples, stop))
    return functional.pad(samples, (max(0, -start), max(0, stop - n_samples)))
