"""Renders a track's outputs block by block on the grid of the delivery format."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.audio.writing.encode import is_pcm
from core.audio.writing.quantise import dither_noise
from core.pipeline.context import StageContext
from core.pipeline.outputs import (
    BLOCK_SAMPLES,
    Grid,
    Output,
    Outputs,
    close_sum,
    read_blocks,
    source_names,
    sum_blocks,
)
from core.pipeline.results import DecodeResult, NormalizationResult
from stemcrate.schemas.facts import JobFacts

Blocks = dict[str, NDArray[np.float32]]

_HEADROOM_STEPS = 16


@dataclass(frozen=True, slots=True)
class Target:
    """The delivery format that samples are rounded to."""

    format: str
    bit_depth: str
    sample_rate: int
    n_channels: int

    @property
    def is_pcm(self) -> bool:
        """Whether samples are integers."""
        return is_pcm(self.format, self.bit_depth)

    @property
    def is_lossless(self) -> bool:
        """Whether the file holds exactly the samples given."""
        return self.is_pcm or self.format == "wav"

    @property
    def full_scale(self) -> float:
        """The grid value of 1.0."""
        return float(1 << (int(self.bit_depth) - 1)) if self.is_pcm else 1.0

    def clips(self, peak: float) -> bool:
        """Return whether an absolute grid value exceeds full scale."""
        return peak > self.full_scale - (1 if self.is_pcm else 0)


class Renderer:
    """Applies gains, rounds, and makes every sum of rounded parts.

    Grid values are float64: integers for PCM, float32 values else. They are never clipped.
    """

    def __init__(self, context: StageContext, outputs: Outputs, grid: Target) -> None:
        self._context = context
        self._outputs = outputs
        self._grid = grid
        self._decoded = context.require(DecodeResult)
        normalization = context.result(NormalizationResult)
        self._gain_db = 0.0 if normalization is None else normalization.gain_db
        self._gains_db = {} if normalization is None else normalization.gains_db
        self._seed = int(context.track.source.sha256[:8], 16)

    @property
    def gains(self) -> JobFacts:
        """The gain of all files, or of each."""
        if self._gains_db:
            return JobFacts(gains_db=self._gains_db)
        return JobFacts(gain_db=self._gain_db)

    def gain_db(self, output: Output) -> float:
        """Return the gain of an output in dB."""
        return self._gains_db.get(output.label, self._gain_db)

    def measure_peaks(self, progress: Callable[[float], None]) -> dict[str, float]:
        """Return the largest absolute grid value of each output, by label."""
        peaks = {output.label: 0.0 for output in self._outputs.files}
        for done, block in self.blocks(self._outputs.files):
            for label, values in block.items():
                peaks[label] = max(peaks[label], float(np.abs(values).max(initial=0.0)))
            progress(done)
        return peaks

    def rescale(self, peaks: Mapping[str, float]) -> dict[str, float]:
        """Lower the gains so that nothing exceeds full scale; return the changes in dB by label.

        One gain for all outputs where they have one gain, so that stems still sum; else a gain for
        each that needs it. ``peaks`` are those of `measure_peaks`.
        """
        # Rounding and dither of summed parts can add up to several steps.
        top = self._grid.full_scale - _HEADROOM_STEPS
        if not self._gains_db:
            change_db = min(0.0, 20 * math.log10(top / max(peaks.values())))
            self._gain_db += change_db
            return dict.fromkeys(peaks, round(change_db, 4))
        changes = {
            label: 20 * math.log10(top / peak) for label, peak in peaks.items() if peak > top
        }
        self._gains_db = {
            label: gain_db + changes.get(label, 0.0) for label, gain_db in self._gains_db.items()
        }
        return {label: round(change_db, 4) for label, change_db in changes.items()}

    def blocks(self, files: Sequence[Output]) -> Iterator[tuple[float, dict[str, Grid]]]:
        """Yield the fraction done and ``{label: grid values}`` of every block."""
        n_samples = self._decoded.n_samples
        with ExitStack() as stack:
            readers = {
                name: stack.enter_context(self._context.reader(name))
                for name in source_names(self._outputs)
            }
            render = self._render_alone if self._gains_db else self._render_together
            for start, blocks in read_blocks(readers, n_samples):
                done = min((start + BLOCK_SAMPLES) / n_samples, 1.0)
                yield done, render(files, blocks, start)

    def _render_together(
        self, files: Sequence[Output], blocks: Blocks, start: int
    ) -> dict[str, Grid]:
        """Render with one gain: round the parts first, then sum the rounded parts."""
        values = {
            name: self._round(block, self._gain_db, name, start) for name, block in blocks.items()
        }
        close_sum(values, self._outputs)
        return {
            output.label: np.sum([values[source] for source in output.sources], axis=0)
            for output in files
        }

    def _render_alone(self, files: Sequence[Output], blocks: Blocks, start: int) -> dict[str, Grid]:
        """Render each output with its own gain: sum first, then round."""
        return {
            output.label: self._round(
                sum_blocks(blocks[source] for source in output.sources),
                self.gain_db(output),
                output.label,
                start,
            )
            for output in files
        }

    def _round(self, block: NDArray[np.float32], gain_db: float, name: str, start: int) -> Grid:
        """Apply the gain and round to the grid; dither if 16 bits reduce the bit depth."""
        scaled = block.astype(np.float64) * 10 ** (gain_db / 20)
        if not self._grid.is_pcm:
            return scaled.astype(np.float32).astype(np.float64)
        scaled *= self._grid.full_scale
        if self._grid.bit_depth == "16" and block.any() and not self._is_exact(name, gain_db):
            scaled += dither_noise(block.shape, seed=(self._seed, *name.encode(), start))
        return np.rint(scaled)

    def _is_exact(self, name: str, gain_db: float) -> bool:
        """Return whether samples already lie on a 16-bit grid, which needs no dither."""
        decoded = self._decoded
        few_bits = decoded.bit_depth in (8, 16) and not decoded.downmix
        return name == "mixture" and gain_db == 0 and few_bits
