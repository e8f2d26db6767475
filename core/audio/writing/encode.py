"""Encoding of delivered files: WAV, FLAC, ALAC, MP3, AAC and Opus, block by block.

PCM formats take integer codes (`Encoder.write_codes`), so that the file holds bit for bit what was
summed; the others take float32. Each encoder was chosen so that its file, decoded by
`core.audio.reading.decode`, starts at the source's first sample and, if the container stores a
length, has the same length: LAME by libsndfile writes the gapless header, MP4 gets an edit
list counted in samples (FFmpeg's default counts milliseconds), Opus its pre-skip and end granule.
"""

from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self, get_args

import numpy as np

from core.audio.buffer import Codes, Samples, validate_block
from core.audio.resample import StreamResampler
from core.audio.writing.wavefile import WaveWriter
from core.errors import UnsupportedFormat

AudioFormat = Literal["wav", "flac", "mp3", "m4a", "alac", "opus"]
EncodedDepth = Literal["16", "24", "32f"]

FORMATS: tuple[str, ...] = get_args(AudioFormat)
SUFFIX: dict[str, str] = {
    "wav": ".wav",
    "flac": ".flac",
    "mp3": ".mp3",
    "m4a": ".m4a",
    "alac": ".m4a",
    "opus": ".opus",
}
M4A_BIT_RATE = 256_000  # bit/s, AAC-LC stereo
OPUS_BIT_RATE = 192_000  # bit/s; listening tests find no difference above
# MP3 is 320 kbit/s CBR, at which all DJ programs place cues alike.

_LOSSY = {"mp3", "m4a", "opus"}
_FLAC_MAX_RATE = 655_350
_LEGAL_RATES: dict[str, tuple[int, ...]] = {
    "mp3": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    "m4a": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000),
    "opus": (48000,),
    # HLS in browsers
    "stream": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
}


def check_format(format: str, bit_depth: str) -> None:
    """Check that a format can be written with a bit depth.

    ``bit_depth`` has no effect on mp3, m4a and opus, but must be one of ``16 24 32f``.

    Raises
    ------
    UnsupportedFormat : with ``field`` set to ``format`` or ``bit_depth``.
    """
    if format not in FORMATS:
        raise UnsupportedFormat(
            f"'{format}' is not an output format.",
            hint=f"Choose one of {', '.join(FORMATS)}.",
            field="format",
        )
    if bit_depth not in get_args(EncodedDepth):
        raise UnsupportedFormat(
            f"'{bit_depth}' is not a valid bit depth.",
            hint="Choose one of 16, 24, 32f.",
            field="bit_depth",
        )
    if bit_depth == "32f" and format in ("flac", "alac"):
        raise UnsupportedFormat(
            f"{format} holds integers only, not 32-bit float.",
            hint="Choose 16 or 24, or the format wav.",
            field="bit_depth",
        )


def is_pcm(format: str, bit_depth: str) -> bool:
    """Return whether the format takes integer codes (`Encoder.write_codes`)."""
    return format not in _LOSSY and bit_depth != "32f"


def supported_sample_rate(format: str, sample_rate: int) -> int:
    """Return the sample rate in Hz of a file of this format, or of a ``stream``.

    It is the given rate if the format supports it, else a half or a quarter of it if supported
    (88.2 kHz to 44.1 kHz for mp3), else the next higher one, else the highest. FLAC supports up to
    655 350 Hz.
    """
    if format == "flac":
        return min(sample_rate, _FLAC_MAX_RATE)
    legal = _LEGAL_RATES.get(format)
    if legal is None or sample_rate in legal:
        return sample_rate
    for divisor in (2, 4):
        if sample_rate // divisor in legal and sample_rate > legal[-1]:
            return sample_rate // divisor
    return min((rate for rate in legal if rate > sample_rate), default=legal[-1])


class _Writer(Protocol):
    """Interface of the three backends."""

    def write(self, block: Samples | Codes) -> None: ...

    def close(self) -> None: ...

    def discard(self) -> None: ...


class Encoder:
    """Write one file block by block. A context manager; an exception removes the file.

    Parameters
    ----------
    path : file to create; its suffix is ignored.
    format, bit_depth : as for `check_format`.
    sample_rate : of the blocks, in Hz. If the format does not support it, float blocks are
        resampled (soxr VHQ) to `supported_sample_rate`.
    n_channels : 1 or 2.

    Raises
    ------
    UnsupportedFormat : see `check_format`; also PCM at an unsupported rate.
    StorageFull : no space on the disk.
    """

    def __init__(
        self, path: Path, *, format: str, bit_depth: str, sample_rate: int, n_channels: int
    ) -> None:
        check_format(format, bit_depth)
        if n_channels not in (1, 2):
            raise ValueError(f"n_channels must be 1 or 2, got {n_channels}")
        self.format = format
        self.n_channels = n_channels
        self.sample_rate = supported_sample_rate(format, sample_rate)
        self._is_pcm = is_pcm(format, bit_depth)
        self._resampler: StreamResampler | None = None
        if self.sample_rate != sample_rate:
            if self._is_pcm:
                raise UnsupportedFormat(
                    f"{format} does not support a sample rate of {sample_rate} Hz.", field="format"
                )
            self._resampler = StreamResampler(sample_rate, self.sample_rate, n_channels)
        self._writer = self._open(path, bit_depth)

    def write_codes(self, codes: Codes) -> None:
        """Append int32 codes ``(n_channels, n)``, right-aligned at the bit depth; PCM formats only.

        Raises
        ------
        TypeError : the format is not PCM, or the array is not int32.
        """
        if not self._is_pcm:
            raise TypeError(f"{self.format} takes float samples, not codes")
        validate_block(codes, n_channels=self.n_channels, dtype=np.int32)
        self._writer.write(codes)

    def write(self, block: Samples) -> None:
        """Append float32 samples ``(n_channels, n)``; 32-bit float WAV and the lossy formats.

        Lossy formats keep samples beyond ±1, which most players clip.

        Raises
        ------
        TypeError : the format takes codes, or the array is not float32.
        """
        if self._is_pcm:
            raise TypeError(f"{self.format} takes codes: quantise first")
        validate_block(block, n_channels=self.n_channels)
        self._writer.write(self._resampler.add(block) if self._resampler else block)

    def close(self) -> None:
        """Flush and close the file."""
        if self._resampler is not None:
            self._writer.write(self._resampler.flush())
            self._resampler = None
        self._writer.close()

    def discard(self) -> None:
        """Close and remove the file."""
        self._writer.discard()

    def _open(self, path: Path, bit_depth: str) -> _Writer:
        # Here, and not above: the API knows the formats, and loads no encoder.
        from core.audio.writing.encode_pyav import PyavWriter
        from core.audio.writing.encode_soundfile import SoundfileWriter

        rate, n_channels = self.sample_rate, self.n_channels
        if self.format == "wav":
            encodings: dict[str, Literal["pcm16", "pcm24", "float32"]] = {
                "16": "pcm16",
                "24": "pcm24",
                "32f": "float32",
            }
            encoding = encodings[bit_depth]
            return WaveWriter(path, sample_rate=rate, n_channels=n_channels, encoding=encoding)
        if self.format in ("flac", "mp3"):
            depth = int(bit_depth) if self.format == "flac" else None
            return SoundfileWriter(path, sample_rate=rate, n_channels=n_channels, flac_bits=depth)
        if self.format == "alac":
            codec = "alac16" if bit_depth == "16" else "alac24"
            return PyavWriter(path, codec=codec, sample_rate=rate, n_channels=n_channels)
        bit_rate = M4A_BIT_RATE if self.format == "m4a" else OPUS_BIT_RATE
        return PyavWriter(
            path,
            codec="aac" if self.format == "m4a" else "opus",
            sample_rate=rate,
            n_channels=n_channels,
            bit_rate=bit_rate * n_channels // 2,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.discard()
            return
        try:
            self.close()
        except BaseException:
            self.discard()
            raise
