"""Working audio on disk: WAV files read and written block by block.

Between stages audio is stored as float32 WAV; the same writer makes the delivered WAV files. A file
starts as plain RIFF with space for a ``ds64`` chunk and becomes RF64 (EBU Tech 3306) only above
4 GiB, so that every program opens the usual file and a long one is valid. The header is written
here because libsndfile stores the time of day in float files (``PEAK`` chunk), which would change
the SHA-256 of the same stem on every run, and because a full disk then raises ``OSError``.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import BLOCK_SIZE, Codes, Samples, validate_block
from core.errors import CorruptAudio
from core.system.closing import Closing
from core.system.disk import storage_errors

WaveEncoding = Literal["pcm16", "pcm24", "float32"]

_BYTES = {"pcm16": 2, "pcm24": 3, "float32": 4}
_RIFF_LIMIT = 0xFFFF_FFFF  # bytes; limit of a 32-bit chunk size


class AudioReader(Closing):
    """Read a WAV file in pieces. A context manager.

    Raises
    ------
    CorruptAudio : libsndfile cannot open the file, or it is truncated.
    FileNotFoundError : the file does not exist.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise FileNotFoundError(path)
        # Here, and not above: the API knows the stages, and loads no decoder.
        import soundfile  # noqa: TID251

        self._name = path.name
        self._failure: type[Exception] = soundfile.LibsndfileError
        try:
            self._file: Any = soundfile.SoundFile(str(path))
        except self._failure as error:
            raise CorruptAudio(f"{path.name} cannot be opened: {error}") from error

    @property
    def sample_rate(self) -> int:
        """Sample rate in Hz."""
        return int(self._file.samplerate)

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return int(self._file.channels)

    @property
    def n_samples(self) -> int:
        """Length in samples per channel."""
        return int(self._file.frames)

    def read(self, start: int = 0, stop: int | None = None) -> Samples:
        """Return samples ``start`` to ``stop`` (default: the end).

        Returns
        -------
        float32, shape ``(n_channels, stop - start)``; shorter if ``stop`` is past the end.

        Raises
        ------
        ValueError : ``start`` is negative or past the end, or ``stop`` is before it.
        CorruptAudio : the file holds fewer samples than its header says.
        """
        stop = self.n_samples if stop is None else min(stop, self.n_samples)
        if not 0 <= start <= self.n_samples or stop < start:
            raise ValueError(f"range {start} to {stop} is outside the {self.n_samples} samples")
        try:
            self._file.seek(start)
            frames: Samples = self._file.read(stop - start, dtype="float32", always_2d=True)
        except self._failure as error:
            raise CorruptAudio(f"{self._name} cannot be read: {error}") from error
        if len(frames) < stop - start:
            raise CorruptAudio(f"{self._name} ends at sample {start + len(frames)}.")
        return np.ascontiguousarray(frames.T)

    def blocks(self, block_size: int = BLOCK_SIZE) -> Iterator[Samples]:
        """Yield the whole file in order, in blocks of at most ``block_size`` samples."""
        for start in range(0, self.n_samples, block_size):
            yield self.read(start, start + block_size)

    def close(self) -> None:
        """Close the file; idempotent."""
        self._file.close()


class WaveWriter:
    """Write a WAV file block by block. A context manager; a failed block removes the file.

    Parameters
    ----------
    path : file to create or replace.
    encoding : ``pcm16`` and ``pcm24`` take int32 codes, ``float32`` takes float32 samples.

    Raises
    ------
    StorageFull : no space on the disk.
    """

    def __init__(
        self, path: Path, *, sample_rate: int, n_channels: int, encoding: WaveEncoding = "float32"
    ) -> None:
        if sample_rate < 1 or not 1 <= n_channels <= 8:
            raise ValueError(f"a WAV file cannot have {n_channels} channels at {sample_rate} Hz")
        self.sample_rate = sample_rate
        self.n_channels = n_channels
        self.n_samples = 0
        self._path = path
        self._encoding = encoding
        self._file: BinaryIO = path.open("wb")
        self._write(self._header())

    def write(self, block: Samples | Codes) -> None:
        """Append a block of shape ``(n_channels, n)``; float32 samples or int32 codes."""
        dtype = np.float32 if self._encoding == "float32" else np.int32
        validate_block(block, n_channels=self.n_channels, dtype=dtype)
        self._write(self._packed(block))
        self.n_samples += block.shape[1]

    def close(self) -> None:
        """Complete the header and close; idempotent."""
        if self._file.closed:
            return
        try:
            with storage_errors(self._path):
                self._file.write(b"\0" * (self._data_bytes % 2))
                self._file.seek(0)
                self._file.write(self._header())
                self._file.flush()
        except BaseException:
            self.discard()
            raise
        self._file.close()

    def discard(self) -> None:
        """Close and remove the file."""
        # On a full disk closing fails again on buffered data; the file is removed anyway.
        with suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)

    @property
    def _data_bytes(self) -> int:
        return self.n_samples * self.n_channels * _BYTES[self._encoding]

    def _packed(self, block: NDArray[Any]) -> bytes:
        interleaved = np.ascontiguousarray(block.T)
        if self._encoding == "float32":
            return interleaved.astype("<f4", copy=False).tobytes()
        if self._encoding == "pcm16":
            return interleaved.astype("<i2").tobytes()
        return interleaved.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()

    def _header(self) -> bytes:
        width = _BYTES[self._encoding]
        is_float = self._encoding == "float32"
        align = self.n_channels * width
        fmt = struct.pack(
            "<HHIIHH",
            3 if is_float else 1,
            self.n_channels,
            self.sample_rate,
            self.sample_rate * align,
            align,
            8 * width,
        )
        fact = b""
        if is_float:
            fmt += b"\0\0"  # cbSize: required for every format but PCM, as is `fact`
            fact = struct.pack("<4sII", b"fact", 4, min(self.n_samples, _RIFF_LIMIT))
        middle = struct.pack("<4sI", b"fmt ", len(fmt)) + fmt + fact
        data_bytes = self._data_bytes
        riff_bytes = 4 + 36 + len(middle) + 8 + data_bytes + data_bytes % 2
        if riff_bytes <= _RIFF_LIMIT:
            head = struct.pack("<4sI4s4sI28x", b"RIFF", riff_bytes, b"WAVE", b"JUNK", 28)
            return head + middle + struct.pack("<4sI", b"data", data_bytes)
        ds64 = struct.pack("<4sIQQQI", b"ds64", 28, riff_bytes, data_bytes, self.n_samples, 0)
        head = struct.pack("<4sI4s", b"RF64", 0xFFFF_FFFF, b"WAVE")
        return head + ds64 + middle + struct.pack("<4sI", b"data", 0xFFFF_FFFF)

    def _write(self, data: bytes) -> None:
        with storage_errors(self._path):
            self._file.write(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


class AudioWriter(WaveWriter):
    """Write working audio: float32 WAV, RF64 beyond 4 GiB. See `WaveWriter`.

    `write` takes float32 blocks of shape ``(n_channels, n)``.
    """

    def __init__(self, path: Path, *, sample_rate: int, n_channels: int) -> None:
        super().__init__(path, sample_rate=sample_rate, n_channels=n_channels, encoding="float32")
