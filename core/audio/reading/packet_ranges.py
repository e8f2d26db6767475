"""Ranges of MP4 audio (AAC, ALAC) that this installation wrote, without decoding what precedes."""

from pathlib import Path
from typing import Any

import numpy as np

from core.audio.buffer import Samples
from core.audio.reading.decode_pyav import open_container
from core.audio.reading.frames import frame_to_float32
from core.errors import CorruptAudio
from core.system.closing import Closing

_PRE_ROLL = 4096  # samples: an AAC frame needs the one before it, an ALAC frame has as many


class PacketReader(Closing):
    """Read ranges of an MP4 file whose edit list counts samples. A context manager.

    ALAC is exact. AAC is aligned to the sample; where its encoder replaced noise by a level, every
    decoding has other noise of that level.

    Raises
    ------
    NotAudio : the file is no MP4.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self._open()
        codec = self._track.codec_context
        self.sample_rate = int(codec.sample_rate)
        self.n_channels = int(codec.channels)
        self.n_samples = round(self._track.duration * self._track.time_base * self.sample_rate)

    def _open(self) -> None:
        self._container: Any = open_container(self._file, self._path.name)
        self._track = self._container.streams.audio[0]

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``start`` to ``stop``, float32 ``(n_channels, stop - start)``.

        Raises
        ------
        CorruptAudio : the file ends before ``stop``.
        """
        found = np.zeros((self.n_channels, stop - start), dtype=np.float32)
        if start >= stop:
            return found
        if start > _PRE_ROLL:
            position = round((start - _PRE_ROLL) / self.sample_rate / self._track.time_base)
            self._container.seek(position, stream=self._track)
        else:  # a seek to the first frame would leave out the one before it, which primes it
            self._container.close()
            self._file.seek(0)
            self._open()
        end = start
        for frame in self._container.decode(self._track):
            first = round(frame.pts * frame.time_base * self.sample_rate)
            end = min(first + frame.samples, stop)
            if end > start:
                begin = max(first, start)
                samples = frame_to_float32(frame)
                found[:, begin - start : end - start] = samples[:, begin - first : end - first]
            if end == stop:
                return found
        raise CorruptAudio(f"{self._path.name} ends at sample {end}.")

    def close(self) -> None:
        """Release the file; idempotent."""
        self._container.close()
        self._file.close()
