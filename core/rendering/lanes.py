"""Lanes: files with gain and pan, read side by side and summed.

Conventions: samples are counted from the start of the track; beyond the ends there is silence.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import BLOCK_SIZE, Samples
from core.audio.reading.decode import read_through
from core.audio.resample import StreamResampler
from core.audio.writing.wavefile import AudioReader, AudioWriter
from core.rendering.sources import LaneFile

_SEEKABLE = ("wav", "flac")
"""Formats that are read at any sample exactly; others are decoded to WAV first."""


def open_lane(file: LaneFile, work: Path, sample_rate: int | None = None) -> AudioReader:
    """Open a file at random access; one of another format or sample rate is converted first.

    Raises
    ------
    InvalidAudio : the file cannot be read.
    StorageFull : the disk has no room for the conversion.
    """
    if file.format in _SEEKABLE:
        reader = AudioReader(file.path)
        if sample_rate in (None, reader.sample_rate):
            return reader
        reader.close()
    path = work / f"{file.sha256}.wav"
    if not path.exists():
        _convert(file, path, sample_rate)
    return AudioReader(path)


def _convert(file: LaneFile, path: Path, sample_rate: int | None) -> None:
    def take(found_rate: int, n_channels: int, blocks: Iterator[Samples]) -> None:
        rate = sample_rate or found_rate
        resampler = StreamResampler(found_rate, rate, n_channels) if rate != found_rate else None
        with AudioWriter(path, sample_rate=rate, n_channels=n_channels) as writer:
            for block in blocks:
                writer.write(resampler.add(block) if resampler else block)
            if resampler:
                writer.write(resampler.flush())

    read_through(file.path, take, name=file.label)


Envelope = Callable[[int, int], NDArray[np.float64]]
"""Returns the gain of each sample from ``start`` to ``stop``, shape ``(stop - start,)``."""


class Bus:
    """A sum of lanes.

    Parameters
    ----------
    readers : the lanes, of one sample rate.
    matrices : ``(2, 2)`` of each, from its (left, right) to the bus's; a mono lane counts as stereo
        with two equal channels.
    n_channels : 2, or 1 if every lane is mono and no matrix tells left from right.
    envelopes : gain over time of each lane; None: the same throughout.
    """

    def __init__(
        self,
        readers: Sequence[AudioReader],
        matrices: Sequence[NDArray[np.float64]],
        n_channels: int,
        envelopes: Sequence[Envelope | None] | None = None,
    ) -> None:
        envelopes = envelopes or [None] * len(readers)
        self._lanes = list(zip(readers, matrices, envelopes, strict=True))
        self.n_channels = n_channels
        self._blocks: dict[int, Samples] = {}

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``start`` to ``stop`` of the sum, float32 ``(n_channels, stop - start)``.

        Whole blocks are summed and the last two are kept, so that short reads one after another
        cost no more than long ones.
        """
        result = np.empty((self.n_channels, stop - start), dtype=np.float32)
        for index in range(start // BLOCK_SIZE, -(-stop // BLOCK_SIZE)):
            first = index * BLOCK_SIZE
            low, high = max(start, first), min(stop, first + BLOCK_SIZE)
            result[:, low - start : high - start] = self._block(index)[
                :, low - first : high - first
            ]
        return result

    def _block(self, index: int) -> Samples:
        if index not in self._blocks:
            if len(self._blocks) > 1:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[index] = self._sum(index * BLOCK_SIZE)
        return self._blocks[index]

    def _sum(self, start: int) -> Samples:
        total = np.zeros((self.n_channels, BLOCK_SIZE))
        for reader, matrix, envelope in self._lanes:
            low = min(max(start, 0), reader.n_samples)
            high = min(max(start + BLOCK_SIZE, 0), reader.n_samples)
            if low < high:
                mixed = self._mix(reader.read(low, high), matrix)
                if envelope is not None:
                    mixed *= envelope(low, high)
                total[:, low - start : high - start] += mixed
        return total.astype(np.float32)

    def _mix(self, block: Samples, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.n_channels == 1:
            scaled: NDArray[np.float64] = block * matrix[0, 0]
            return scaled
        both = np.broadcast_to(block, (2, block.shape[1])) if len(block) == 1 else block
        if not matrix[0, 1] and not matrix[1, 0]:
            return both * matrix.diagonal()[:, None]
        mixed: NDArray[np.float64] = matrix @ both
        return mixed
