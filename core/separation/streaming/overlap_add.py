"""Overlap-add: a network for short segments, run over a mixture of any length.

The segments overlap, each is weighted by a triangle, and the sum is divided by the sum of the
triangles, as in ``demucs.apply.apply_model(shifts=0, split=True)``, in the same order of
operations, but holding only one segment's stems. One difference: a last segment that the one before
already covers is not run. That changes only samples of the last overlap, where two estimates would
have been averaged, and saves one of two runs on a short clip.

Reference: Défossez et al., "Hybrid Spectrogram and Waveform Source Separation", ISMIR 2021
workshop on music source separation; ``demucs/apply.py`` of demucs 4.1.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from core.separation.streaming.ahead import run_ahead
from core.separation.streaming.checkpoint import ChunkCheckpoint

Network = Callable[[Tensor], Tensor]
# (start, stop) -> the mixture's samples, shape (n_channels, stop - start), 0 <= start < stop.
Read = Callable[[int, int], Tensor]

OVERLAP = 0.25


def segment_offsets(n_samples: int, segment: int, overlap: float = OVERLAP) -> list[int]:
    """Return the first sample of each segment; the last is the first that reaches the end.

    Parameters
    ----------
    n_samples, segment : lengths in samples, at least 1.
    overlap : share of a segment that the next one covers, in [0, 1).
    """
    stride = max(1, int((1 - overlap) * segment))
    last = max(0, -(-(n_samples - segment) // stride))
    return [i * stride for i in range(last + 1)]


def triangle(segment: int) -> Tensor:
    """Return a segment's weights, float32 ``(segment,)``, in (0, 1], largest in the middle."""
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
    checkpoint: ChunkCheckpoint,
    valid_length: Callable[[int], int] | None = None,
    overlap: float = OVERLAP,
    batch_size: int = 1,
) -> Iterator[Tensor]:
    """Run a network over a mixture, and yield the stems block by block.

    The next segments are read while the network runs.

    Parameters
    ----------
    network : from ``(n_segments, n_channels, n)`` to ``(n_segments, n_stems, n_channels, n)``.
    read : returns samples of the mixture; called on a thread.
    n_samples : length of the mixture, at least 1.
    segment : length of a segment in samples.
    on_segment : called before the first and after every segment with the fraction done; may raise
        to stop.
    checkpoint : stores every block; stored blocks are not computed again.
    valid_length : from a segment's length to the length that the network requires; segments are
        extended on both sides by the mixture, and by zeros beyond its ends.
    overlap : share of a segment that the next one covers, in [0, 1).
    batch_size : number of segments in one call; segments of other lengths are run alone.

    Yields
    ------
    Stems, float32 on the CPU, shape ``(n_stems, n_channels, n)``: adjoining blocks up to
    ``n_samples``.
    """
    offsets = segment_offsets(n_samples, segment, overlap)
    sums = _Sums(segment, checkpoint.state)
    done = checkpoint.n_chunks
    on_segment(done / len(offsets))
    for chunk in checkpoint.chunks():
        yield torch.from_numpy(chunk)

    def read_segment(offset: int) -> Segment:
        length = min(segment, n_samples - offset)
        wanted = length if valid_length is None else valid_length(length)
        return offset, _read_centred(read, offset, length, wanted, n_samples)

    segments = map(read_segment, offsets[done:])
    for batch in run_ahead(_batches(segments, batch_size)):
        outputs = network(torch.stack([samples for _, samples in batch]))
        for (offset, _), output in zip(batch, outputs, strict=True):
            stop = offsets[done + 1] if done + 1 < len(offsets) else n_samples
            block = sums.add(output, min(segment, n_samples - offset), stop - offset)
            checkpoint.append(block.numpy(), sums.state)
            done += 1
            yield block
            on_segment(done / len(offsets))


class _Sums:
    """Sum of weighted segments; keeps the part that the next segment overlaps."""

    def __init__(self, segment: int, state: Mapping[str, Any]) -> None:
        self._weights = triangle(segment)
        self._tail: Tensor = torch.from_numpy(state["tail"]) if state else None
        self._tail_weights: Tensor = torch.from_numpy(state["tail_weights"]) if state else None

    @property
    def state(self) -> dict[str, Any]:
        """State to resume from here."""
        return {"tail": self._tail.numpy(), "tail_weights": self._tail_weights.numpy()}

    def add(self, output: Tensor, length: int, n_ready: int) -> Tensor:
        """Add a segment's stems; return the first ``n_ready`` samples, which are complete."""
        start = (output.shape[-1] - length) // 2
        stems = self._weights[:length] * output[..., start : start + length].cpu()
        total = self._weights[:length].clone()
        if self._tail is not None:
            n = self._tail.shape[-1]
            # Same order of additions as demucs: the previous sum, then this segment.
            stems[..., :n] = self._tail + stems[..., :n]
            total[:n] = self._tail_weights + total[:n]
        self._tail, self._tail_weights = stems[..., n_ready:].clone(), total[n_ready:].clone()
        return stems[..., :n_ready] / total[:n_ready]


Segment = tuple[int, Tensor]


def _batches(segments: Iterator[Segment], batch_size: int) -> Iterator[list[Segment]]:
    """Group up to ``batch_size`` neighbours of one length."""
    batch: list[Segment] = []
    for offset, samples in segments:
        if batch and (len(batch) == batch_size or samples.shape != batch[0][1].shape):
            yield batch
            batch = []
        batch.append((offset, samples))
    if batch:
        yield batch


def _read_centred(read: Read, offset: int, length: int, wanted: int, n_samples: int) -> Tensor:
    start = offset - (wanted - length) // 2
    stop = start + wanted
    samples = read(max(0, start), min(n_samples, stop))
    return functional.pad(samples, (max(0, -start), max(0, stop - n_samples)))
