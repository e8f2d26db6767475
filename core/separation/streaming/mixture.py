"""Conversion of rate and channels between the mixture and a model.

Models run in stereo at their own rate. A mixture of that rate is read directly; another is
resampled block by block while it is read, and the stems are resampled back. At most about a minute
of audio is held in memory.
"""

import threading
from collections.abc import Callable, Iterator

import numpy as np

from core.audio.buffer import Samples
from core.audio.resample import StreamResampler, resampled_length

# (start, stop) -> samples, float32, shape (n_channels, stop - start), 0 <= start <= stop.
Read = Callable[[int, int], Samples]
# Stems of one block: float32, shape (n_stems, n_channels, n).
StemBlock = Samples

BLOCK_SAMPLES = 1 << 18
LOOKBACK_S = 64  # how far back a model may read: more than the longest segment


class StereoMixture:
    """Mixture as input of a model: stereo at its rate.

    ``read`` accepts any range that starts at most `LOOKBACK_S` before the previous one, from any
    thread; `blocks` iterates over all of it, any number of times.
    """

    def __init__(self, blocks: Callable[[], Iterator[Samples]], n_samples: int, read: Read) -> None:
        self.blocks = blocks
        self.n_samples = n_samples
        self.read = read


class Mixture:
    """Mixture of one or two channels at any rate. Raises ValueError for other channel counts."""

    def __init__(self, read: Read, n_channels: int, n_samples: int, sample_rate: int) -> None:
        if n_channels not in (1, 2):
            raise ValueError(f"a mixture has one or two channels, got {n_channels}")
        if sample_rate < 1:
            raise ValueError(f"the sample rate must be positive, got {sample_rate}")
        self._read = _one_at_a_time(read)
        self._n_channels = n_channels
        self._n_samples = n_samples
        self._sample_rate = sample_rate

    def is_silent(self) -> bool:
        """Check every sample. Raises ValueError if one is not finite."""
        is_silent = True
        for block in self._blocks():
            if not np.isfinite(block).all():
                raise ValueError("the mixture has samples that are not finite")
            is_silent = is_silent and not block.any()
        return is_silent

    def silence(self, n_stems: int) -> Iterator[StemBlock]:
        """Yield silent stems."""
        for block in self._blocks():
            yield np.zeros((n_stems, *block.shape), dtype=np.float32)

    def as_stereo(self, rate: int) -> StereoMixture:
        """Return the mixture in stereo at a model's rate."""
        if rate == self._sample_rate:
            read = self._read
            return StereoMixture(
                lambda: map(_as_stereo, self._blocks()),
                self._n_samples,
                lambda start, stop: _as_stereo(read(start, stop)),
            )
        # One sample at 96 kHz is less than half a sample at 44.1 kHz, but a model needs one.
        n_samples = max(1, resampled_length(self._n_samples, self._sample_rate, rate))

        def blocks() -> Iterator[Samples]:
            converted = _resample(self._blocks(), self._sample_rate, rate, self._n_channels)
            return map(_as_stereo, _fit(converted, n_samples))

        window = _Window(blocks(), LOOKBACK_S * rate)
        return StereoMixture(blocks, n_samples, _one_at_a_time(window.read))

    def deliver(self, stems: Iterator[StemBlock], rate: int) -> Iterator[StemBlock]:
        """Convert a model's stems to the mixture's channels, rate and length."""
        if self._n_channels == 1:
            stems = (block.mean(axis=1, keepdims=True, dtype=np.float32) for block in stems)
        if rate == self._sample_rate:
            yield from stems
            return
        n_stems = 0

        def flat() -> Iterator[Samples]:
            nonlocal n_stems
            for block in stems:
                n_stems = len(block)
                yield block.reshape(-1, block.shape[-1])

        first, rest = _peek(flat())
        converted = _resample(rest, rate, self._sample_rate, len(first))
        for block in _fit(converted, self._n_samples):
            yield block.reshape(n_stems, self._n_channels, -1)

    def _blocks(self) -> Iterator[Samples]:
        for start in range(0, self._n_samples, BLOCK_SAMPLES):
            yield self._read(start, min(start + BLOCK_SAMPLES, self._n_samples))


class _Window:
    """Random access to sequential blocks, up to ``lookback`` samples back."""

    def __init__(self, blocks: Iterator[Samples], lookback: int) -> None:
        self._blocks = blocks
        self._lookback = lookback
        self._held: list[Samples] = []
        self._first = 0
        self._stop = 0

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``start`` to ``stop``, all inside the mixture."""
        if start < self._first:
            raise ValueError(f"sample {start} is gone: only {self._lookback} are kept")
        while self._stop < stop:
            block = next(self._blocks)
            self._held.append(block)
            self._stop += block.shape[1]
        while self._first + self._held[0].shape[1] <= start - self._lookback:
            self._first += self._held.pop(0).shape[1]
        return np.concatenate(self._held, axis=1)[:, start - self._first : stop - self._first]


def _one_at_a_time(read: Read) -> Read:
    """Serialise reads of several threads: files and windows have one position."""
    lock = threading.Lock()

    def read_alone(start: int, stop: int) -> Samples:
        with lock:
            return read(start, stop)

    return read_alone


def _as_stereo(samples: Samples) -> Samples:
    return np.repeat(samples, 2, axis=0) if len(samples) == 1 else samples


def _resample(
    blocks: Iterator[Samples], from_rate: int, to_rate: int, n_channels: int
) -> Iterator[Samples]:
    stream = StreamResampler(from_rate, to_rate, n_channels)
    for block in blocks:
        yield stream.add(block)
    yield stream.flush()


def _fit(blocks: Iterator[Samples], n_samples: int) -> Iterator[Samples]:
    """Cut or zero-pad to ``n_samples``."""
    done = 0
    for block in blocks:
        part = block[:, : n_samples - done]
        done += part.shape[1]
        n_channels = len(part)
        if part.shape[1]:
            yield part
    if done < n_samples:
        yield np.zeros((n_channels, n_samples - done), dtype=np.float32)


def _peek(blocks: Iterator[Samples]) -> tuple[Samples, Iterator[Samples]]:
    first = next(blocks)

    def again() -> Iterator[Samples]:
        yield first
        yield from blocks

    return first, again()
