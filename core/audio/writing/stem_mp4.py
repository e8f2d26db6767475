"""NI STEM: one MP4 with the mixture and four stems, for Traktor and other DJ programs.

Five stereo tracks of one codec: the mixture first and enabled, then Drums, Bass, Other and Vocals,
disabled, so that an ordinary player plays the mixture. Names and colours are JSON in the box
``moov/udta/stem``. In ALAC the codes of the four stems sum to those of the mixture: one gain keeps
all five below full scale, and the rounding error of the sum is added to Other.

FFmpeg's muxer writes ``moov`` at the end and no ``stem`` box; `core.audio.writing.mp4_boxes`
corrects both afterwards.

Reference: Native Instruments, "Stem file format specification" (track order, box and JSON).
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av  # noqa: TID251
import numpy as np
from av.stream import Disposition  # noqa: TID251
from numpy.typing import NDArray

from core.audio.buffer import Codes, Samples
from core.audio.writing.encode import M4A_BIT_RATE, supported_sample_rate
from core.audio.writing.mp4_boxes import insert_stem_box
from core.audio.writing.wavefile import AudioReader
from core.errors import UnsupportedFormat
from core.system.disk import storage_errors

StemCodec = Literal["alac", "aac"]
StemDepth = Literal["16", "24"]

SLOTS = ("drums", "bass", "other", "vocals")
_COLOURS = ("#009E73", "#D55E00", "#CC79A7", "#56B4E9")
_FRAME = 4096
_HEADROOM_CODES = 8  # for the rounding error in Other
_MASTERING = {
    "compressor": {
        "enabled": False,
        "ratio": 3,
        "output_gain": 0.5,
        "release": 0.3,
        "attack": 0.003,
        "input_gain": 0.5,
        "threshold": 0,
        "hp_cutoff": 300,
        "dry_wet": 50,
    },
    "limiter": {"enabled": False, "release": 0.05, "threshold": 0, "ceiling": -0.35},
}


@dataclass(frozen=True, slots=True)
class StemFile:
    """Properties of a STEM file.

    ``names`` are the displayed names of the four stems; ``gain_db`` is 0 or the common gain that
    keeps all tracks below full scale; ``is_exact`` is true if the stems' codes sum to the
    mixture's.
    """

    names: tuple[str, str, str, str]
    gain_db: float
    is_exact: bool


def write_stem_mp4(
    path: Path,
    mixture: Path,
    stems: Mapping[str, Path],
    *,
    codec: StemCodec = "alac",
    bit_depth: StemDepth = "24",
    progress: Callable[[float], None] | None = None,
) -> StemFile:
    """Write a ``.stem.mp4``.

    Parameters
    ----------
    path : file to create.
    mixture, stems : audio that `AudioReader` opens, of one sample rate, 1 or 2 channels; shorter
        ones are padded with silence. Stems have the models' names: ``drums``, ``bass``, ``other``
        and ``vocals`` have slots; ``accompaniment`` and all others are summed into Other, which is
        named by its content. A slot without a stem is silent and named so.
    codec : ALAC, or AAC at 256 kbit/s, in which sums hold up to coding noise only.
    bit_depth : of ALAC.
    progress : called with the fraction done.

    Raises
    ------
    UnsupportedFormat : no stems, several sample rates, more than two channels, or a rate that AAC
        does not support.
    CorruptAudio : a file cannot be read.
    StorageFull : no space on the disk. No file is left in any of these cases.
    """
    with ExitStack() as stack:
        sources = _Sources(
            stack.enter_context(AudioReader(mixture)),
            {name: stack.enter_context(AudioReader(file)) for name, file in stems.items()},
        )
        sources.check(codec)
        report = progress or (lambda _: None)
        peak, error = sources.measure(lambda done: report(done / 3))
        full_scale = 2 ** (15 if bit_depth == "16" else 23)
        gain = min(1.0, (1 - _HEADROOM_CODES / full_scale) / peak) if peak > 0 else 1.0
        is_exact = codec == "alac" and error * gain * full_scale <= _HEADROOM_CODES / 4
        quantiser = _Quantiser(gain, full_scale, is_exact=is_exact)
        draft = path.with_name(f"{path.name}.draft")
        try:
            _encode(draft, sources, quantiser, codec, bit_depth, lambda d: report((1 + 2 * d) / 3))
            names = sources.names()
            with storage_errors(path):
                insert_stem_box(draft, path, _description(names))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            draft.unlink(missing_ok=True)
    gain_db = 20 * float(np.log10(gain))
    return StemFile(names, gain_db, is_exact)


@dataclass(frozen=True, slots=True)
class _Sources:
    """The mixture and its stems, read side by side."""

    mixture: AudioReader
    stems: dict[str, AudioReader]

    def check(self, codec: StemCodec) -> None:
        rate = self.mixture.sample_rate
        if not self.stems:
            raise UnsupportedFormat("A STEM file needs at least one stem.", field="format")
        for reader in (self.mixture, *self.stems.values()):
            if reader.sample_rate != rate:
                raise UnsupportedFormat(
                    f"A STEM file has one sample rate, not {rate} and {reader.sample_rate} Hz.",
                    field="format",
                )
            if reader.n_channels > 2:
                raise UnsupportedFormat(
                    f"A STEM file is stereo; a file has {reader.n_channels} channels.",
                    field="format",
                )
        if codec == "aac" and supported_sample_rate("m4a", rate) != rate:
            raise UnsupportedFormat(
                f"AAC does not support a sample rate of {rate} Hz.",
                hint="Choose ALAC.",
                field="codec",
            )

    def names(self) -> tuple[str, str, str, str]:
        """Return the names of the four slots by their content."""
        rest = [name for name in self.stems if name not in SLOTS]
        held = [*(["other"] if "other" in self.stems else []), *rest]
        other = " + ".join(name.capitalize() for name in held)

        def slot(name: str) -> str:
            return name.capitalize() if name in self.stems else f"{name.capitalize()} (silent)"

        return slot("drums"), slot("bass"), other or "Other (silent)", slot("vocals")

    def blocks(self) -> Iterator[tuple[float, Samples]]:
        """Yield the fraction done and float64 blocks ``(5, 2, n)``: mixture, then the slots."""
        n_samples = max(reader.n_samples for reader in (self.mixture, *self.stems.values()))
        step = _FRAME * 32
        for start in range(0, n_samples, step):
            n = min(step, n_samples - start)
            block: NDArray[Any] = np.zeros((5, 2, n))
            block[0] = _stereo(self.mixture, start, n)
            for name, reader in self.stems.items():
                slot = SLOTS.index(name) if name in SLOTS else SLOTS.index("other")
                block[1 + slot] += _stereo(reader, start, n)
            yield (start + n) / n_samples, block

    def measure(self, progress: Callable[[float], None]) -> tuple[float, float]:
        """Find the highest sample of all tracks, and the largest error of the stems' sum."""
        peak = error = 0.0
        for done, block in self.blocks():
            peak = max(peak, float(np.max(np.abs(block))))
            error = max(error, float(np.max(np.abs(block[0] - block[1:].sum(axis=0)))))
            progress(done)
        return peak, error


def _stereo(reader: AudioReader, start: int, n: int) -> NDArray[Any]:
    block = np.zeros((2, n))
    if start < reader.n_samples:
        samples = reader.read(start, start + n)
        block[:, : samples.shape[1]] = samples
    return block


@dataclass(frozen=True, slots=True)
class _Quantiser:
    """Quantises floats; if the stems sum to the mixture, their codes do, too."""

    gain: float
    full_scale: int
    is_exact: bool

    def codes(self, block: Samples) -> Codes:
        codes: Codes = np.rint(block * (self.gain * self.full_scale)).astype(np.int32)
        if self.is_exact:
            codes[1 + SLOTS.index("other")] += codes[0] - codes[1:].sum(axis=0)
        return codes


def _encode(
    path: Path,
    sources: _Sources,
    quantiser: _Quantiser,
    codec: StemCodec,
    bit_depth: StemDepth,
    progress: Callable[[float], None],
) -> None:
    rate = sources.mixture.sample_rate
    options = {"movie_timescale": str(rate)}
    with storage_errors(path), av.open(str(path), "w", "mp4", container_options=options) as out:
        tracks = [_Track(out, rate, codec, bit_depth, is_mixture=i == 0) for i in range(5)]
        for track in tracks:
            track.start()
        for done, block in sources.blocks():
            values = block * quantiser.gain if codec == "aac" else quantiser.codes(block)
            for start in range(0, block.shape[2], _FRAME):
                for track, samples in zip(tracks, values, strict=True):
                    track.write(samples[:, start : start + _FRAME])
            progress(done)
        for track in tracks:
            track.close()


class _Track:
    """One stream of the file."""

    def __init__(
        self, out: Any, rate: int, codec: StemCodec, bit_depth: StemDepth, *, is_mixture: bool
    ) -> None:
        self._out = out
        self._rate = rate
        self._position = 0
        self._shift = 8 if codec == "alac" and bit_depth == "24" else 0
        self._format = "fltp" if codec == "aac" else f"s{'16' if bit_depth == '16' else '32'}p"
        self._stream = out.add_stream(codec, rate=rate, layout="stereo")
        # FFmpeg's ALAC takes 24 bits left-aligned in 32, and 32 unless told otherwise.
        self._stream.codec_context.format = self._format
        if codec == "aac":
            self._stream.bit_rate = M4A_BIT_RATE
        self._stream.disposition = Disposition.default if is_mixture else Disposition(0)
        self._stream.codec_context.open()
        self._frame_size = self._stream.codec_context.frame_size or _FRAME

    def start(self) -> None:
        """Start AAC with an inaudible frame of silence; see `encode_pyav`."""
        if self._format == "fltp":
            self._position = -self._frame_size
            self._encode(np.zeros((2, self._frame_size), np.float32))

    def write(self, samples: NDArray[Any]) -> None:
        for start in range(0, samples.shape[1], self._frame_size):
            self._encode(samples[:, start : start + self._frame_size])

    def close(self) -> None:
        self._out.mux(self._stream.encode(None))

    def _encode(self, samples: NDArray[Any]) -> None:
        dtype = {"fltp": np.float32, "s16p": np.int16, "s32p": np.int32}[self._format]
        shifted = np.left_shift(samples, self._shift) if self._shift else samples
        array = np.ascontiguousarray(shifted.astype(dtype))
        frame = av.AudioFrame.from_ndarray(array, format=self._format, layout="stereo")
        frame.sample_rate = self._rate
        frame.time_base = Fraction(1, self._rate)
        frame.pts = self._position
        self._position += samples.shape[1]
        self._out.mux(self._stream.encode(frame))


def _description(names: Sequence[str]) -> bytes:
    stems = [{"name": name, "color": colour} for name, colour in zip(names, _COLOURS, strict=True)]
    return json.dumps({"mastering_dsp": _MASTERING, "version": 1, "stems": stems}).encode()
