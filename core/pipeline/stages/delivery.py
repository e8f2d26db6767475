"""delivery: the files that people take home, in their format, with gain, names and tags."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.audio.encode import SUFFIX, Encoder, is_pcm, supported_sample_rate
from core.audio.quantise import dither_noise
from core.audio.tag_writer import write_tags
from core.audio.tags import Tags, read_tags
from core.errors import UnsupportedFormat
from core.pipeline.context import StageContext
from core.pipeline.names import TrackNames
from core.pipeline.options import ProcessingOptions
from core.pipeline.outputs import (
    BLOCK_SAMPLES,
    Grid,
    Output,
    Outputs,
    close_sum,
    list_outputs,
    read_blocks,
    source_names,
    sum_blocks,
)
from core.pipeline.stage import StageResult, TrackStage


@dataclass(frozen=True, slots=True)
class Target:
    """The format that one pass writes."""

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
        """Whether the file holds just the samples given."""
        return self.is_pcm or self.format == "wav"

    @property
    def full_scale(self) -> float:
        """The grid value that stands for 1.0."""
        return float(1 << (int(self.bit_depth) - 1)) if self.is_pcm else 1.0


@dataclass(slots=True)
class Pass:
    """One way through the audio: which outputs it writes, and what was seen of their peaks."""

    target: Target
    files: tuple[Output, ...]
    peaks: dict[str, float] = field(default_factory=dict)


class DeliveryStage(TrackStage):
    """Write every output of a track so that, in PCM, its stems sum exactly to its mixture."""

    name = "delivery"
    essential = True
    cost = 4.0

    def parameters(self, options: ProcessingOptions) -> dict[str, Any]:
        """Format, bit depth and naming."""
        return {
            "format": options.format,
            "bit_depth": options.bit_depth,
            "name_template": options.name_template,
        }

    def execute(self, context: StageContext) -> StageResult:
        """Render, encode and tag."""
        outputs = list_outputs(context)
        target = choose_target(context)
        if target.sample_rate != supported_sample_rate(target.format, target.sample_rate):
            context.warn(
                "resampled",
                f"{target.format} has no {target.sample_rate} Hz; delivered at "
                f"{supported_sample_rate(target.format, target.sample_rate)} Hz.",
            )
        renderer = _Renderer(context, outputs)
        scan = Pass(target, outputs.files)
        renderer.measure(scan)
        clipping = tuple(f for f in outputs.files if _clips(scan.peaks[f.label], target))
        for output in clipping:
            self._warn_of_clipping(context, output, scan.peaks[output.label], target)
        floats = Target("wav", "32f", target.sample_rate, target.n_channels)
        moved = clipping if target.is_pcm else ()
        kept = tuple(output for output in outputs.files if output not in moved)
        names = TrackNames(context)
        for index, (encoding, files) in enumerate(((target, kept), (floats, moved))):
            renderer.write(files, target, encoding, names, first_half=index == 0)
        return StageResult(
            data={
                "format": target.format,
                "bit_depth": target.bit_depth,
                "float_instead": [output.label for output in moved],
            }
        )

    def _warn_of_clipping(
        self, context: StageContext, output: Output, peak: float, target: Target
    ) -> None:
        over_db = 20 * np.log10(peak / target.full_scale)
        if target.is_pcm:
            remedy = "It is delivered as 32-bit float WAV, so that nothing is lost."
        else:
            remedy = "Players that decode to integers clip it; lower target_lufs to avoid that."
        context.warn("above_full_scale", f"'{output.label}' peaks at +{over_db:.2f} dBFS. {remedy}")


def choose_target(context: StageContext) -> Target:
    """Choose format and bit depth: the source's, at least 24 bits, where nothing else is asked."""
    decoded = context.require("decode")
    options = context.options
    bit_depth = options.bit_depth
    if bit_depth == "auto":
        deep = decoded["is_float"] or (decoded["bit_depth"] or 0) > 24
        bit_depth = "32f" if deep and not decoded["is_lossy"] and options.format == "wav" else "24"
    return Target(options.format, bit_depth, decoded["sample_rate"], decoded["n_channels"])


def _clips(peak: float, target: Target) -> bool:
    """Tell whether a peak on the grid is beyond what the format holds."""
    return peak > target.full_scale - (1 if target.is_pcm else 0)


class _Renderer:
    """Makes the samples of all outputs, block by block, on the grid of the delivery format."""

    def __init__(self, context: StageContext, outputs: Outputs) -> None:
        self._context = context
        self._outputs = outputs
        self._decoded = context.require("decode")
        normalization = context.result("normalization")
        self._gain_db: float = normalization.get("gain_db", 0.0)
        self._gains_db: dict[str, float] = normalization.get("gains_db", {})
        self._seed = int(context.track.source.sha256[:8], 16)

    def gain_db(self, output: Output) -> float:
        """Give the gain of an output in dB."""
        return self._gains_db.get(output.label, self._gain_db)

    def measure(self, scan: Pass) -> None:
        """Find the largest absolute value of each output on the grid."""
        scan.peaks = {output.label: 0.0 for output in scan.files}
        for done, block in self._blocks(scan.files, scan.target):
            for label, values in block.items():
                peak = float(np.abs(values).max(initial=0.0))
                scan.peaks[label] = max(scan.peaks[label], peak)
            self._context.progress(done / 3)

    def write(
        self,
        files: tuple[Output, ...],
        grid: Target,
        encoding: Target,
        names: TrackNames,
        *,
        first_half: bool,
    ) -> None:
        """Encode ``files``, rendered on the grid of one format, into (maybe) another."""
        if not files:
            return
        tags = read_tags(self._context.source)
        rate = supported_sample_rate(encoding.format, encoding.sample_rate)
        with ExitStack() as stack:
            paths = {
                output.label: stack.enter_context(
                    self._context.artefact(
                        names.file(output.label, SUFFIX[encoding.format]),
                        role=output.role,
                        label=output.label,
                        format=encoding.format,
                        bit_depth=encoding.bit_depth if encoding.is_lossless else None,
                        sample_rate=rate,
                        duration_s=self._context.track.source.duration_s,
                        gain_db=self.gain_db(output),
                    )
                )
                for output in files
            }
            with ExitStack() as open_encoders:
                encoders = {
                    label: open_encoders.enter_context(
                        Encoder(
                            path,
                            format=encoding.format,
                            bit_depth=encoding.bit_depth,
                            sample_rate=encoding.sample_rate,
                            n_channels=encoding.n_channels,
                        )
                    )
                    for label, path in paths.items()
                }
                for done, block in self._blocks(files, grid):
                    for label, values in block.items():
                        _encode(encoders[label], values, grid, encoding)
                    self._context.progress((1 + done) / 3 if first_half else (2 + done) / 3)
            for output in files:
                self._tag(paths[output.label], names.tags(tags, output.label), encoding.format)

    def _tag(self, path: Path, tags: Tags, file_format: str) -> None:
        try:
            write_tags(path, tags, format=file_format)
        except UnsupportedFormat as error:
            self._context.warn("untagged", f"'{tags.title}' carries no tags: {error.message}")

    def _blocks(self, files: tuple[Output, ...], grid: Target) -> Any:
        """Yield the fraction done and ``{label: grid values}`` of every block."""
        n_samples = self._decoded["n_samples"]
        with ExitStack() as stack:
            readers = {
                name: stack.enter_context(self._context.reader(name))
                for name in source_names(self._outputs)
            }
            for start, blocks in read_blocks(readers, n_samples):
                done = min((start + BLOCK_SAMPLES) / n_samples, 1.0)
                if self._gains_db:
                    yield done, {f.label: self._render_alone(f, blocks, grid, start) for f in files}
                else:
                    yield done, self._render_together(files, blocks, grid, start)

    def _render_together(
        self,
        files: tuple[Output, ...],
        blocks: dict[str, NDArray[np.float32]],
        grid: Target,
        start: int,
    ) -> dict[str, Grid]:
        """Render with one gain: parts are rounded first, sums are made of rounded parts."""
        values = {
            name: self._round(block, self._gain_db, grid, name, start)
            for name, block in blocks.items()
        }
        close_sum(values, self._outputs)
        return {
            output.label: np.sum([values[source] for source in output.sources], axis=0)
            for output in files
        }

    def _render_alone(
        self, output: Output, blocks: dict[str, NDArray[np.float32]], grid: Target, start: int
    ) -> Grid:
        """Render with the output's own gain: the sum is made first, then rounded."""
        total = sum_blocks(blocks[source] for source in output.sources)
        return self._round(total, self.gain_db(output), grid, output.label, start)

    def _round(
        self, block: NDArray[np.float32], gain_db: float, grid: Target, name: str, start: int
    ) -> Grid:
        """Apply the gain and round to the grid; dither where 16 bits are fewer than there were."""
        scaled = block.astype(np.float64) * 10 ** (gain_db / 20)
        if not grid.is_pcm:
            return scaled.astype(np.float32).astype(np.float64)
        scaled *= grid.full_scale
        untouched = (
            name == "mixture"
            and gain_db == 0
            and self._decoded["bit_depth"] in (8, 16)
            and not self._decoded["downmix"]
        )
        if grid.bit_depth == "16" and not untouched and block.any():
            scaled += dither_noise(block.shape, seed=(self._seed, *name.encode(), start))
        return np.rint(scaled)


def _encode(encoder: Encoder, values: Grid, grid: Target, encoding: Target) -> None:
    if encoding.is_pcm:
        encoder.write_codes(values.astype(np.int32))
    else:
        encoder.write((values / grid.full_scale).astype(np.float32))
