"""Averaged passes over transformed views of one mixture.

A network is not invariant to the position of its segments or the order of channels: the mean of its
estimates for shifted, swapped and inverted mixtures is better than one estimate. The passes run in
lockstep, so that memory does not grow with the length.

Reference: Défossez et al., "Demucs", 2019 ("the shift trick").
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from core.audio.buffer import Samples
from core.separation.streaming.effort import Effort
from core.separation.streaming.mixture import StemBlock, StereoMixture
from core.separation.streaming.run import Run

MAX_SHIFT_S = 0.5

Stream = Callable[[StereoMixture, Run], Iterator[StemBlock]]


@dataclass(frozen=True, slots=True)
class View:
    """View of the mixture for a pass: ``delay`` leading zeros, swapped channels, inverted sign."""

    delay: int = 0
    is_swapped: bool = False
    is_inverted: bool = False

    def of(self, mixture: StereoMixture) -> StereoMixture:
        """Return the transformed mixture."""

        def blocks() -> Iterator[Samples]:
            if self.delay:
                yield np.zeros((2, self.delay), dtype=np.float32)
            yield from map(self._turn, mixture.blocks())

        def read(start: int, stop: int) -> Samples:
            silence = min(max(0, self.delay - start), stop - start)
            inside = mixture.read(max(0, start - self.delay), max(0, stop - self.delay))
            return np.pad(self._turn(inside), ((0, 0), (silence, 0)))

        return StereoMixture(blocks, mixture.n_samples + self.delay, read)

    def undo(self, stems: Iterator[StemBlock]) -> Iterator[StemBlock]:
        """Transform stems of the view back to the mixture."""
        to_drop = self.delay
        for block in stems:
            kept = block[..., to_drop:]
            to_drop -= min(to_drop, block.shape[-1])
            if kept.shape[-1]:
                yield self._turn(kept)

    def _turn(self, samples: Samples) -> Samples:
        turned = samples[..., ::-1, :] if self.is_swapped else samples
        return -turned if self.is_inverted else turned


def list_views(effort: Effort, sample_rate: int) -> list[View]:
    """List the views of an effort; the unchanged mixture comes first."""
    step = MAX_SHIFT_S * sample_rate / effort.shifts
    views = [View(round(i * step)) for i in range(effort.shifts)]
    if effort.augment:
        views += [View(is_swapped=True), View(is_inverted=True)]
    return views


def stream_passes(
    stream: Stream, mixture: StereoMixture, sample_rate: int, run: Run
) -> Iterator[StemBlock]:
    """Run ``stream`` once for each view of the mixture; yield the mean of the stems."""
    views = list_views(run.effort, sample_rate)
    if len(views) == 1:
        yield from stream(mixture, run)
        return
    streams = [
        view.undo(stream(view.of(mixture), part))
        for view, part in zip(views, run.split(len(views)), strict=True)
    ]
    for blocks in side_by_side(streams):
        yield np.mean(blocks, axis=0, dtype=np.float32)


def side_by_side(streams: list[Iterator[StemBlock]]) -> Iterator[list[StemBlock]]:
    """Yield aligned blocks of all streams, whose own blocks may differ in length."""
    waiting: list[StemBlock | None] = [None] * len(streams)
    while True:
        for i, stream in enumerate(streams):
            if waiting[i] is None:
                waiting[i] = next(stream, None)
        blocks = [block for block in waiting if block is not None]
        if len(blocks) < len(streams):
            return
        n = min(block.shape[-1] for block in blocks)
        yield [block[..., :n] for block in blocks]
        waiting = [block[..., n:] if block.shape[-1] > n else None for block in blocks]
