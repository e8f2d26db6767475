"""Time-stretching along a map of times, and transposition, block by block.

Conventions: positions are samples of the source, times samples of the result. A `TimeMap` says
which position is heard at which time; the engine's delay is compensated, so that an onset at
position ``p`` is heard at the time that the map gives for ``p``. Memory does not grow with length.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import BLOCK_SIZE, Samples
from core.audio.resample import StreamResampler

_CHUNK = 1024
"""Samples of the result in one call: shorter than the engine's hop of 30 ms, so that a bend of the
map is followed at once."""
_MOST_SPEED = 8
"""Longest input for an output: a tempo of 150 %, an octave down, and a folded octave make 6."""
_WARM_UP_BLOCKS = 2
"""Analysis blocks before the first sample that is kept: the engine then runs as in the middle."""

_RATE_STEPS = 1_000_000
"""Transpositions are fractions of this: at most 0.001 cents beside the one asked for."""
_RESAMPLER_LEAD = 4096
"""Samples before the first and after the last one, so that the resampler's filter is full."""

Read = Callable[[int, int], Samples]
"""Reads positions ``start`` to ``stop`` as float32 ``(n_channels, stop - start)``; beyond the ends
of the source it gives silence."""


@dataclass(frozen=True, slots=True)
class TimeMap:
    """Positions over times, linear between points and beyond the first and the last.

    Parameters
    ----------
    times, positions : at least two points, float64 of one shape ``(n,)``, both strictly increasing.
    """

    times: NDArray[np.float64]
    positions: NDArray[np.float64]

    @classmethod
    def steady(cls, start: float, speed: float) -> "TimeMap":
        """Return the map that begins at the position ``start`` and advances by ``speed``."""
        return cls(np.array([0.0, 1.0]), np.array([start, start + speed]))

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the positions that are heard at times."""
        speeds = np.diff(self.positions) / np.diff(self.times)
        i = np.searchsorted(self.times[1:-1], times, side="right")
        heard: NDArray[np.float64] = self.positions[i] + speeds[i] * (times - self.times[i])
        return heard

    def is_shift(self) -> bool:
        """Return whether the map only shifts, by whole samples: nothing has to be stretched."""
        shifts = self.positions - self.times
        return bool(np.all(shifts == np.rint(shifts[0])))


def play(
    read: Read,
    time_map: TimeMap,
    n_samples: int,
    *,
    n_channels: int,
    sample_rate: int,
    semitones: float = 0.0,
) -> Iterator[Samples]:
    """Yield a source as it is heard along a map of times.

    Parameters
    ----------
    read : gives the source.
    time_map : which position is heard at which time.
    n_samples : length of the result.
    n_channels : 1 or 2.
    semitones : transposition; 0 keeps the pitch whatever the map's speed is. Time is stretched and
        the result resampled, which keeps all partials in tune.

    Yields
    ------
    float32 ``(n_channels, n)``, `BLOCK_SIZE` samples but for the last; ``n_samples`` in all. Where
    the map is a shift and nothing is transposed, these are the source's samples unchanged.

    References
    ----------
    Signalsmith Stretch, https://signalsmith-audio.co.uk/code/stretch/
    """
    if not semitones:
        yield from _stretch(read, time_map, n_samples, n_channels, sample_rate)
        return
    steps = round(2 ** (semitones / 12) * _RATE_STEPS)
    factor = steps / _RATE_STEPS
    lead = _RESAMPLER_LEAD
    slower = TimeMap((time_map.times + lead) * factor, time_map.positions)
    n_slower = ceil((n_samples + 2 * lead) * factor)
    stretched = _stretch(read, slower, n_slower, n_channels, sample_rate)
    yield from _cut(_resample(stretched, steps, n_channels), lead, n_samples)


def _resample(blocks: Iterator[Samples], from_rate: int, n_channels: int) -> Iterator[Samples]:
    resampler = StreamResampler(from_rate, _RATE_STEPS, n_channels)
    for block in blocks:
        yield resampler.add(block)
    yield resampler.flush()


def _stretch(
    read: Read, time_map: TimeMap, n_samples: int, n_channels: int, sample_rate: int
) -> Iterator[Samples]:
    """Yield a source along a map, at its own pitch."""
    if time_map.is_shift():
        shift = round(time_map.at(np.zeros(1))[0])
        for start in range(0, n_samples, BLOCK_SIZE):
            yield read(shift + start, shift + min(start + BLOCK_SIZE, n_samples))
        return
    # Here, and not above: the API plans renders, and runs none.
    from core.audio.stretching.engine import StretchEngine

    engine = StretchEngine(n_channels, sample_rate, max_samples=_MOST_SPEED * _CHUNK)
    first = -_WARM_UP_BLOCKS * engine.block_samples
    # What is heard at time 0 comes out ``output_latency`` samples later.
    end = n_samples + engine.output_latency

    edges = np.append(np.arange(first, end, _CHUNK), end)
    needed = np.rint(time_map.at(edges.astype(np.float64))).astype(np.int64)
    needed += engine.input_latency

    def chunks() -> Iterator[Samples]:
        for i in range(len(edges) - 1):
            block = read(int(needed[i]), int(needed[i + 1]))
            yield engine.process(block, int(edges[i + 1] - edges[i]))

    yield from _cut(chunks(), engine.output_latency - first, n_samples)


def _cut(chunks: Iterator[Samples], skip: int, n_samples: int) -> Iterator[Samples]:
    """Yield ``n_samples`` after the first ``skip``, in blocks of `BLOCK_SIZE` but for the last."""
    waiting: list[Samples] = []
    n_waiting = 0
    for chunk in chunks:
        kept = chunk[:, skip:][:, : n_samples - n_waiting]
        skip = max(0, skip - chunk.shape[1])
        waiting.append(kept)
        n_waiting += kept.shape[1]
        while n_waiting >= min(BLOCK_SIZE, n_samples) > 0:
            joined = np.concatenate(waiting, axis=1)
            yield joined[:, :BLOCK_SIZE].copy()
            waiting = [joined[:, BLOCK_SIZE:]]
            n_yielded = min(BLOCK_SIZE, n_waiting)
            n_samples -= n_yielded
            n_waiting -= n_yielded
