"""delivery: the output files, in their format, with gain, names and tags."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from core.audio.tagging.tags import Tags, read_tags
from core.audio.writing.encode import SUFFIX, Encoder, supported_sample_rate
from core.errors import UnsupportedFormat
from core.export.mp3_offset import default_mp3_offsets_ms
from core.pipeline.context import StageContext
from core.pipeline.loudness import DeliveredGain, describe_output
from core.pipeline.names import TrackNames
from core.pipeline.outputs import Grid, Output, Outputs, list_outputs
from core.pipeline.rendering import Renderer, Target
from core.pipeline.results import DecodeResult, StageResult
from core.pipeline.stage import TrackStage
from stemcrate.schemas.delivered import DeliveredLoudness
from stemcrate.schemas.facts import MIXTURE
from stemcrate.schemas.options import ProcessingOptions


class DeliveryResult(StageResult):
    """The format, how samples beyond full scale were handled, and gain changes in dB."""

    format: str
    bit_depth: str
    float_instead: list[str]
    clipping: str
    rescaled_db: dict[str, float]


class DeliveryStage(TrackStage):
    """Write every output of a track; in PCM, the stems sum exactly to the mixture."""

    name = "delivery"
    result_type = DeliveryResult
    version = "2"
    essential = True
    serves_delivery = True
    cost = 4.0

    def parameters(self, options: ProcessingOptions) -> dict[str, Any]:
        """Return format, bit depth, clipping policy and name template."""
        return {
            "format": options.format,
            "bit_depth": options.bit_depth,
            "clipping": options.clipping,
            "name_template": options.name_template,
        }

    def execute(self, context: StageContext) -> StageResult:
        """Measure peaks, then render, encode and tag; integers clip only on request."""
        outputs = list_outputs(context)
        target = choose_target(context)
        renderer = Renderer(context, outputs, target)
        peaks = renderer.measure_peaks(lambda done: context.progress(done / 3))
        clipping = [output for output in outputs.files if target.clips(peaks[output.label])]
        policy = context.options.clipping if target.is_pcm else "none"
        if clipping and policy == "rescale":
            rescaled_db = renderer.rescale(peaks)
            context.warn("rescaled", _tell_rescaled(clipping, rescaled_db))
        else:
            rescaled_db = {}
            for output in clipping:
                _warn_of_clipping(context, output, peaks[output.label], target, policy)
        gains = {
            output.label: DeliveredGain(
                renderer.gain_db(output),
                rescaled_db.get(output.label, 0.0),
                is_clamped=policy == "clamp" and output in clipping,
            )
            for output in outputs.files
        }
        in_float = clipping if target.is_pcm and policy == "none" else []
        writer = _Writer(context, renderer, target, gains)
        writer.write(
            [output for output in outputs.files if output not in in_float],
            target,
            progress=lambda done: context.progress((1 + done) / 3),
        )
        writer.write(
            in_float,
            Target("wav", "32f", target.sample_rate, target.n_channels),
            progress=lambda done: context.progress((2 + done) / 3),
        )
        writer.list_repeats(outputs.repeats)
        return DeliveryResult(
            format=target.format,
            bit_depth=target.bit_depth,
            float_instead=[output.label for output in in_float],
            clipping=policy,
            rescaled_db=rescaled_db,
            facts=renderer.gains.model_copy(
                update={"delivered_loudness": _describe_mix(context, outputs, gains)}
            ),
        )


class _Writer:
    """Encodes and tags rendered outputs."""

    def __init__(
        self,
        context: StageContext,
        renderer: Renderer,
        grid: Target,
        gains: Mapping[str, DeliveredGain],
    ) -> None:
        self._context = context
        self._renderer = renderer
        self._grid = grid
        self._gains = gains
        self._names = TrackNames(context)
        self._tags = read_tags(context.source)

    def write(
        self, files: Sequence[Output], encoding: Target, *, progress: Callable[[float], None]
    ) -> None:
        """Write ``files``, all in one pass over the audio."""
        if not files:
            return
        rate = supported_sample_rate(encoding.format, encoding.sample_rate)
        if rate != encoding.sample_rate:
            self._context.warn(
                "resampled",
                f"{encoding.format} has no {encoding.sample_rate} Hz; delivered at {rate} Hz.",
            )
        with ExitStack() as artefacts:
            paths = {
                output.label: artefacts.enter_context(self._artefact(output, encoding, rate))
                for output in files
            }
            self._encode(files, paths, encoding, progress)
            for label, path in paths.items():
                self._tag(path, self._names.tags(self._tags, label), encoding.format)

    def list_repeats(self, repeats: Sequence[Output]) -> None:
        """List other names of files that are written already."""
        written = {artefact.label: artefact for artefact in self._context.artefacts}
        for output in repeats:
            original = written[str(output.same_as)]
            self._context.repeat_artefact(
                original,
                name=self._names.file(output.label, SUFFIX[original.format]),
                role=output.role,
                label=output.label,
            )

    def _artefact(self, output: Output, encoding: Target, rate: int) -> Any:
        return self._context.artefact(
            self._names.file(output.label, SUFFIX[encoding.format]),
            role=output.role,
            label=output.label,
            format=encoding.format,
            bit_depth=encoding.bit_depth if encoding.is_lossless else None,
            sample_rate=rate,
            duration_s=self._context.track.source.duration_s,
            gain_db=self._gains[output.label].gain_db,
            loudness=describe_output(self._context, output, self._gains[output.label]),
            mp3_offset_ms=default_mp3_offsets_ms(rate) if encoding.format == "mp3" else None,
        )

    def _encode(
        self,
        files: Sequence[Output],
        paths: dict[str, Path],
        encoding: Target,
        progress: Callable[[float], None],
    ) -> None:
        with ExitStack() as stack:
            encoders = {
                label: stack.enter_context(
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
            for done, block in self._renderer.blocks(files):
                for label, values in block.items():
                    self._encode_block(encoders[label], values, encoding)
                progress(done)

    def _encode_block(self, encoder: Encoder, values: Grid, encoding: Target) -> None:
        if encoding.is_pcm:
            # Exceeds full scale only if clipping was requested (`clamp`).
            top = self._grid.full_scale
            encoder.write_codes(np.clip(values, -top, top - 1).astype(np.int32))
        else:
            encoder.write((values / self._grid.full_scale).astype(np.float32))

    def _tag(self, path: Path, tags: Tags, file_format: str) -> None:
        # Here, and not above: the API knows the stages, and loads no tag writer.
        from core.audio.tagging.tag_writer import write_tags

        try:
            write_tags(path, tags, format=file_format)
        except UnsupportedFormat as error:
            self._context.warn("untagged", f"'{tags.title}' carries no tags: {error.message}")


def choose_target(context: StageContext) -> Target:
    """Choose format and bit depth: by default the source's depth, at least 24 bits."""
    decoded = context.require(DecodeResult)
    options = context.options
    bit_depth: str = options.bit_depth
    if bit_depth == "auto":
        deep = decoded.is_float or (decoded.bit_depth or 0) > 24
        bit_depth = "32f" if deep and not decoded.is_lossy and options.format == "wav" else "24"
    return Target(options.format, bit_depth, decoded.sample_rate, decoded.n_channels)


def _describe_mix(
    context: StageContext, outputs: Outputs, gains: Mapping[str, DeliveredGain]
) -> DeliveredLoudness | None:
    """Describe ``main``, or what the files sum to where they have one gain; None if unknown."""
    main = next((o for o in outputs.files if o.sources == (MIXTURE,)), None)
    if main is not None:
        return describe_output(context, main, gains[main.label])
    if len(set(gains.values())) != 1:
        return None
    whole = Output("main", "composite", (MIXTURE,))
    return describe_output(context, whole, next(iter(gains.values())))


def _tell_rescaled(clipping: Sequence[Output], rescaled_db: Mapping[str, float]) -> str:
    labels = ", ".join(f"'{output.label}'" for output in clipping)
    if len(set(rescaled_db.values())) == 1:
        gain_db = next(iter(rescaled_db.values()))
        return f"{labels} would clip: all files of the track are {-gain_db:.2f} dB lower."
    gains = ", ".join(f"'{label}' {-gain_db:.2f} dB" for label, gain_db in rescaled_db.items())
    return f"{labels} would clip and are lower: {gains}."


def _warn_of_clipping(
    context: StageContext, output: Output, peak: float, target: Target, policy: str
) -> None:
    over_db = 20 * math.log10(peak / target.full_scale)
    if policy == "clamp":
        remedy = "What exceeds full scale is cut off; the stems no longer sum there."
    elif target.is_pcm:
        remedy = "It is delivered as 32-bit float WAV, so that nothing is lost."
    else:
        remedy = "Players that decode to integers clip it; lower target_lufs to avoid that."
    context.warn("above_full_scale", f"'{output.label}' peaks at {over_db:+.2f} dBFS. {remedy}")
