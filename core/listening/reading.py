"""Reads lanes: ranges and whole, on the axis of their track. Runs in the listener's processes."""

import math
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np

from core.audio.buffer import Samples
from core.audio.reading.decode import read_blocks
from core.audio.reading.packet_ranges import PacketReader
from core.audio.resample import resample
from core.audio.writing.wavefile import AudioReader
from core.listening.lanes import Lane, LanePart, TrackLanes
from core.system.closing import Closing

_RESAMPLER_REACH = 4096  # frames around a range that its resampled samples depend on, with room


class LaneReader(Closing):
    """A lane as float32 samples that are exactly those of its file. A context manager.

    What lies past the end of a file that is shorter than its track is silence.
    """

    def __init__(self, track: TrackLanes, lane: Lane) -> None:
        self._track = track
        self._lane = lane
        self._closing = ExitStack()
        self._readers: list[tuple[LanePart, AudioReader | PacketReader]] = []
        if lane.is_whole:
            return
        with ExitStack() as stack:
            for part in lane.parts:
                reader = _open(part)
                stack.callback(reader.close)
                self._readers.append((part, reader))
            self._closing = stack.pop_all()

    def read(self, start: int, stop: int) -> Samples:
        """Return frames ``start`` to ``stop``; not of a lane that `is_whole`."""
        total = np.zeros((self._track.n_channels, stop - start), dtype=np.float32)
        for part, reader in self._readers:
            samples = self._read_part(reader, start, stop)
            total += samples if part.factor == 1 else samples * np.float32(part.factor)
        return total

    def blocks(self) -> Iterator[Samples]:
        """Yield the lane from its first frame to its last, a segment at a time."""
        segments = (self._track.segment(n) for n in range(self._track.n_segments))
        if not self._lane.is_whole:
            yield from (self.read(start, stop) for start, stop in segments)
            return
        (part,) = self._lane.parts
        pieces = _Pieces(read_blocks(part.path, name=part.name), self._track.n_channels)
        yield from (pieces.take(stop - start) for start, stop in segments)

    def _read_part(self, reader: AudioReader | PacketReader, start: int, stop: int) -> Samples:
        rate, own_rate = self._track.sample_rate, reader.sample_rate
        if rate == own_rate:
            return _read_padded(reader, start, stop)
        # Whole periods of both rates, so that the cut falls on a sample of either.
        frames, own_frames = (r // math.gcd(rate, own_rate) for r in (rate, own_rate))
        first = max(0, start - _RESAMPLER_REACH) // frames
        last = -(-(stop + _RESAMPLER_REACH) // frames)
        around = _read_padded(reader, first * own_frames, last * own_frames)
        converted = resample(around, own_rate, rate, n_samples=(last - first) * frames)
        return converted[:, start - first * frames : stop - first * frames]

    def close(self) -> None:
        """Release the files; idempotent."""
        self._closing.close()


def _open(part: LanePart) -> AudioReader | PacketReader:
    return PacketReader(part.path) if part.access == "packets" else AudioReader(part.path)


class _Pieces:
    """Cuts a stream of blocks into pieces of chosen lengths."""

    def __init__(self, blocks: Iterator[Samples], n_channels: int) -> None:
        self._blocks = blocks
        self._rest: Samples = np.zeros((n_channels, 0), dtype=np.float32)

    def take(self, n_frames: int) -> Samples:
        held = [self._rest]
        n_held = self._rest.shape[1]
        while n_held < n_frames and (block := next(self._blocks, None)) is not None:
            held.append(block)
            n_held += block.shape[1]
        joined = np.concatenate(held, axis=1)
        self._rest = joined[:, n_frames:]
        return np.pad(joined[:, :n_frames], ((0, 0), (0, max(0, n_frames - n_held))))


def _read_padded(reader: AudioReader | PacketReader, start: int, stop: int) -> Samples:
    n_there = reader.n_samples
    samples = reader.read(min(start, n_there), min(stop, n_there))
    return np.pad(samples, ((0, 0), (0, stop - start - samples.shape[1])))
