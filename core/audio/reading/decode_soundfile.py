"""Decoding by libsndfile: WAV, AIFF, FLAC, MP3, Ogg Vorbis and Opus, CAF; the first choice."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile  # noqa: TID251

from core.audio.buffer import BLOCK_SIZE, Samples
from core.audio.reading.headers import says_its_length
from core.audio.reading.source import RESEND_HINT, SourceFormat, cut_short, rounded
from core.audio.reading.tag_bounds import find_start
from core.errors import CorruptAudio, NotAudio

# libsndfile also opens sampler and matrix formats, whose signatures are weak.
_CONTAINERS = {"WAV", "WAVEX", "RF64", "W64", "AIFF", "FLAC", "OGG", "MP3", "CAF", "AU"}
_INTEGER_BITS = {
    "PCM_S8": 8,
    "PCM_U8": 8,
    "PCM_16": 16,
    "PCM_24": 24,
    "PCM_32": 32,
    "ALAC_16": 16,
    "ALAC_20": 20,
    "ALAC_24": 24,
    "ALAC_32": 32,
}
_FLOAT_BITS = {"FLOAT": 32, "DOUBLE": 64}
_FINE = {"PCM_32": "32-bit integers", "ALAC_32": "32-bit integers", "DOUBLE": "64-bit floats"}
_UNKNOWN_LENGTH = 1 << 62  # libsndfile's value for an unknown length
_TAIL = 4096  # samples read to check the end


class _SteadyReader(io.BufferedReader):
    """A file that ignores a seek to an impossible offset.

    Broken headers contain such offsets. An exception cannot pass through libsndfile's C code and
    would be printed instead, whereas libsndfile handles an unchanged position as an error.
    """

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return super().seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return self.tell()


class _PartReader(_SteadyReader):
    """Part of a file as a file: from its first byte to its end, exclusive."""

    def __init__(self, path: Path, first: int, end: int) -> None:
        super().__init__(io.FileIO(path, "rb"))
        self._first, self._end = first, end
        self.seek(0)

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (0, self.tell(), self._end - self._first)[whence]
        return super().seek(self._first + max(0, base + offset)) - self._first

    def tell(self) -> int:
        return super().tell() - self._first

    def readinto(self, buffer: Any) -> int:
        room = max(0, self._end - self._first - self.tell())
        return super().readinto(memoryview(buffer)[:room])


class SoundfileSource:
    """A file opened by libsndfile; see `core.audio.reading.source.AudioSource`.

    Parameters
    ----------
    part : range of bytes, start and end (exclusive); default the file after its ID3v2 tags.

    Raises
    ------
    NotAudio : libsndfile does not recognise the content.
    """

    def __init__(self, path: Path, *, name: str, part: tuple[int, int] | None = None) -> None:
        self._name = name
        self._path = path
        # A file object has no name, so libsndfile cannot guess from the client's file name.
        self._stream = _PartReader(path, *(part or (find_start(path), path.stat().st_size)))
        try:
            self._file: Any = soundfile.SoundFile(self._stream)
        except (soundfile.LibsndfileError, TypeError, ValueError) as error:
            self._stream.close()
            raise NotAudio(f"{name} is not an audio file that can be read.") from error
        self.layout: tuple[str, ...] | None = None
        self.warnings: list[str] = []
        self._is_rounded = False
        if self._file.format not in _CONTAINERS or self._file.frames >= _UNKNOWN_LENGTH:
            self.close()
            raise NotAudio(f"{name} is not an audio file that can be read.")
        self.format = self._describe()

    def blocks(self) -> Iterator[Samples]:
        """Yield float32 ``(n_channels, n)`` to the end. Raises `CorruptAudio`."""
        promised = int(self._file.frames)
        n_decoded = 0
        while True:
            try:
                frames = self._read()
            except soundfile.LibsndfileError as error:
                raise self._cut_short(n_decoded) from error
            if not len(frames):
                break
            n_decoded += len(frames)
            yield np.ascontiguousarray(frames.T)
        if n_decoded < promised:
            if not self.format.is_lossy:
                raise self._cut_short(n_decoded)
            # A lossy stream cut at any packet stays valid; its header is only a hint.
            if self._file.format == "MP3" and not says_its_length(self._path):
                return
            self.warnings.append(
                f"{self._name} is shorter than its header says: "
                f"{n_decoded / self.format.sample_rate:.2f} s of "
                f"{promised / self.format.sample_rate:.2f} s."
            )

    def _read(self) -> Any:
        """Read a block as float32; record whether that rounds."""
        what = _FINE.get(self._file.subtype)
        if what is None:
            return self._file.read(BLOCK_SIZE, dtype="float32", always_2d=True)
        exact = self._file.read(BLOCK_SIZE, dtype="float64", always_2d=True)
        with np.errstate(over="ignore"):  # infinite beyond float32; the caller rejects it
            frames = exact.astype(np.float32)
        if not self._is_rounded and np.any(frames != exact):
            self._is_rounded = True
            self.warnings.append(rounded(self._name, what))
        return frames

    def check_end(self) -> None:
        """Decode the last samples of a lossless file. Raises `CorruptAudio`."""
        if self.format.is_lossy:
            return
        n_samples = int(self._file.frames)
        start = max(0, n_samples - _TAIL)
        try:
            self._file.seek(start)
            frames = self._file.read(n_samples - start, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise self._broken_end() from error
        if len(frames) < n_samples - start:
            raise self._broken_end()

    def close(self) -> None:
        """Release the file."""
        self._file.close()
        self._stream.close()

    def _describe(self) -> SourceFormat:
        subtype = self._file.subtype
        bit_depth = _INTEGER_BITS.get(subtype, _FLOAT_BITS.get(subtype))
        n_samples = int(self._file.frames)
        return SourceFormat(
            container=self._file.format.lower(),
            codec=subtype.lower() if self._file.format != "FLAC" else "flac",
            sample_rate=int(self._file.samplerate),
            n_channels=int(self._file.channels),
            n_samples=n_samples,
            duration_s=n_samples / self._file.samplerate,
            bit_depth=bit_depth,
            is_float=subtype in _FLOAT_BITS,
            is_lossy=bit_depth is None,
            decoder="soundfile",
        )

    def _cut_short(self, n_decoded: int) -> CorruptAudio:
        message = cut_short(self._name, n_decoded, self.format.sample_rate, self.format.n_samples)
        return CorruptAudio(message, hint=RESEND_HINT)

    def _broken_end(self) -> CorruptAudio:
        return CorruptAudio(
            f"{self._name} is damaged or cut short: its end cannot be decoded.", hint=RESEND_HINT
        )
