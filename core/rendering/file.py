"""The last steps of a render: its peak, the bit depth, encoding and tags."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import log10
from pathlib import Path

import numpy as np

from core.artifacts.hashing import hash_file
from core.audio.buffer import BLOCK_SIZE, Samples
from core.audio.tagging.tags import Tags
from core.audio.writing.encode import SUFFIX, Encoder, check_format, is_pcm
from core.audio.writing.quantise import BitDepth, dither_noise, quantise
from core.audio.writing.wavefile import AudioReader, AudioWriter
from core.errors import UnsupportedFormat
from core.export.names import safe_name
from core.rendering.sources import LaneFile
from stemcrate.schemas.manifest import StageWarning
from stemcrate.schemas.options import DeliveryFormat
from stemcrate.schemas.renders import RenderedTransition, RenderFile

_HEADROOM_STEPS = 2
"""Steps below full scale to which a mix that would clip is lowered: dither adds up to one, and
rounding half of one."""


@dataclass(frozen=True, slots=True)
class Target:
    """The file to write; ``title`` and ``artist`` are its tags and make its name."""

    format: DeliveryFormat
    bit_depth: str
    title: str
    artist: str | None

    @property
    def name(self) -> str:
        """The file's name."""
        name = safe_name(" - ".join(filter(None, (self.artist, self.title))))
        return name + SUFFIX[self.format]


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished render: where it lies, what it is, and what has to be said about it."""

    path: Path
    file: RenderFile
    warnings: list[StageWarning] = field(default_factory=list)
    transition: RenderedTransition | None = None


def choose_bit_depth(requested: str, format: DeliveryFormat, sources: Iterable[LaneFile]) -> str:
    """Return the bit depth of a file.

    Raises `UnsupportedFormat` for 32-bit float in FLAC or ALAC.
    """
    if requested != "auto":
        check_format(format, requested)
        return requested
    is_float = any(source.bit_depth == "32f" for source in sources)
    return "32f" if is_float and format == "wav" else "24"


class SumMeter:
    """Measures a sum while it is written.

    Attributes
    ----------
    sample_rate, n_channels : of the sum.
    is_16_bit : whether every sample is a step of 16 bits, so that they need no dither.
    """

    def __init__(self, sample_rate: int, n_channels: int) -> None:
        # Here, and not above: the API plans renders, and runs none.
        from core.audio.metering.true_peak import TruePeakMeter

        self.sample_rate = sample_rate
        self.n_channels = n_channels
        self._true_peak = TruePeakMeter(sample_rate, n_channels)
        self._highest = 0.0
        self.is_16_bit = True

    def add(self, block: Samples) -> None:
        """Add the next samples."""
        self._true_peak.add(block)
        self._highest = max(self._highest, float(block.max(initial=0.0)))
        if self.is_16_bit:
            scaled = block * np.float32(1 << 15)
            self.is_16_bit = bool(np.array_equal(scaled, np.rint(scaled)))

    def peak(self) -> float:
        """Return the true peak; 1 is full scale."""
        return self._true_peak.value()

    def lowering(self, target: Target) -> float:
        """Return the factor that keeps the file from clipping, 1 where it does not.

        The true peak may reach full scale. 32-bit float holds any level and is never lowered.
        """
        if target.format == "wav" and target.bit_depth == "32f":
            return 1.0
        step = 1.0 / (1 << (int(target.bit_depth.removesuffix("f")) - 1))
        peak = self.peak()
        if peak <= 1.0 and self._highest <= 1.0 - step:
            return 1.0
        return float((1.0 - _HEADROOM_STEPS * step) / max(peak, self._highest))


def write_sum(
    blocks: Iterable[Samples], path: Path, meter: SumMeter, n_samples: int
) -> Iterator[float]:
    """Write a sum of ``n_samples`` to float WAV and measure it; yield the fraction done."""
    n_done = 0
    with AudioWriter(path, sample_rate=meter.sample_rate, n_channels=meter.n_channels) as writer:
        for block in blocks:
            writer.write(block)
            meter.add(block)
            n_done += block.shape[1]
            yield n_done / n_samples


def write_file(
    total: Path, meter: SumMeter, target: Target, folder: Path
) -> Iterator[float | Finished]:
    """Encode a sum; yield fractions, and last the finished file.

    Raises
    ------
    UnsupportedFormat : the format does not support the sample rate or the bit depth.
    StorageFull : the disk is full.
    """
    path = folder / f"file{SUFFIX[target.format]}"
    factor = meter.lowering(target)
    with AudioReader(total) as reader:
        sample_rate, n_channels, n_samples = reader.sample_rate, reader.n_channels, reader.n_samples
        with Encoder(
            path,
            format=target.format,
            bit_depth=target.bit_depth,
            sample_rate=sample_rate,
            n_channels=n_channels,
        ) as encoder:
            for index, block in enumerate(reader.blocks()):
                _encode(encoder, block, factor, target, meter.is_16_bit, index)
                yield min((index + 1) * BLOCK_SIZE / n_samples, 1.0)
            file_rate = encoder.sample_rate
    warnings = _warn(meter, factor, target)
    warnings += _tag(path, target)
    sha256, n_bytes = hash_file(path)
    peak = meter.peak() * factor
    file = RenderFile.model_validate(
        {
            "name": target.name,
            "format": target.format,
            "bit_depth": _file_depth(target),
            "sample_rate": file_rate,
            "n_channels": n_channels,
            "duration_s": n_samples / sample_rate,
            "bytes": n_bytes,
            "sha256": sha256,
            "true_peak_dbtp": round(20 * log10(peak), 3) if peak else None,
            "lowered_db": round(-20 * log10(factor), 3) or 0.0,
        }
    )
    yield Finished(path, file, warnings)


def _encode(
    encoder: Encoder, block: Samples, factor: float, target: Target, is_16_bit: bool, index: int
) -> None:
    if not is_pcm(target.format, target.bit_depth):
        encoder.write(block if factor == 1.0 else (block * np.float32(factor)))
        return
    depth: BitDepth = 16 if target.bit_depth == "16" else 24
    samples = block.astype(np.float64) * factor
    if depth == 16 and block.any() and not (is_16_bit and factor == 1.0):
        seed = (zlib.crc32(target.name.encode()), index)
        samples += dither_noise(block.shape, seed=seed) / (1 << 15)
    encoder.write_codes(quantise(samples, depth))


def _file_depth(target: Target) -> str | None:
    is_exact = is_pcm(target.format, target.bit_depth) or target.format == "wav"
    return target.bit_depth if is_exact else None


def _warn(meter: SumMeter, factor: float, target: Target) -> list[StageWarning]:
    peak = meter.peak()
    if factor < 1.0:
        message = (
            f"The mix reaches {20 * log10(peak):+.2f} dBTP: it is {-20 * log10(factor):.2f} dB "
            "lower, so that it does not clip."
        )
        return [StageWarning(code="rescaled", message=message)]
    if peak > 1.0:
        message = (
            f"The mix reaches {20 * log10(peak):+.2f} dBTP. 32-bit float keeps that; players clip "
            "it unless it is turned down."
        )
        return [StageWarning(code="above_full_scale", message=message)]
    return []


def _tag(path: Path, target: Target) -> list[StageWarning]:
    from core.audio.tagging.tag_writer import write_tags

    try:
        write_tags(path, Tags(title=target.title, artist=target.artist), format=target.format)
    except UnsupportedFormat as error:
        return [StageWarning(code="untagged", message=f"The file has no tags: {error.message}")]
    return []
