"""The sound of a transition: each track along its timeline, then both faded into each other.

The outgoing track fades by ``cos``, the incoming one by ``sin`` of a quarter turn over the mix,
which keeps the power. With ``bass_swap``, what lies below `BASS_HZ` makes this turn within one beat
in the middle of the mix. Basses are cut out by a filter of linear phase and the rest is what
remains, so that nothing is changed where both have the same gain.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, firwin

from core.audio.buffer import BLOCK_SIZE, Samples
from core.audio.stretching.stretch import TimeMap, play
from core.audio.writing.wavefile import AudioReader, AudioWriter
from core.rendering.file import Finished, SumMeter, write_file, write_sum
from core.rendering.gains import linear
from core.rendering.lanes import Bus, Envelope, open_lane
from core.rendering.sources import LaneFile
from core.rendering.timeline import Timeline, Times
from core.rendering.transition import DeckPlan, TransitionPlan
from stemcrate.schemas.renders import Fade

BASS_HZ = 200.0
"""Where kick and bass end, as on the low band of a mixer."""
_FILTER_S = 0.03
"""Length of the filter: passes to stops within 100 Hz."""
_RAMP_S = 0.01
"""A stem that is dropped fades outside of its span within this time, so that it does not click."""
_SHARES = (0.35, 0.35, 0.15, 0.15)
"""Shares of the progress: outgoing, incoming, sum, file."""

Gains = NDArray[np.float64]


def blend(plan: TransitionPlan, work: Path) -> Iterator[float | Finished]:
    """Render a transition; yield fractions, and last the finished file."""
    yield 0.0
    timeline = plan.timeline
    rate = _sample_rate(plan.outgoing, work)
    n_samples = round(timeline.duration_s * rate)
    start, end = round(timeline.starts_s * rate), round(timeline.ends_s * rate)
    paths = (work / "outgoing.wav", work / "incoming.wav")
    parts = (
        _play_deck(plan.outgoing, timeline.outgoing, (0, end), rate, paths[0], work),
        _play_deck(plan.incoming, timeline.incoming, (start, n_samples), rate, paths[1], work),
    )
    for done, share, part in ((0.0, _SHARES[0], parts[0]), (_SHARES[0], _SHARES[1], parts[1])):
        for fraction in part:
            yield done + share * fraction
    done = _SHARES[0] + _SHARES[1]
    meter, total = SumMeter(rate, 2), work / "sum.wav"
    with ExitStack() as stack:
        readers = [stack.enter_context(AudioReader(path)) for path in paths]
        faders = _Faders(timeline, plan.fade, rate)
        blocks = _sum(readers, (0, start), faders, n_samples)
        for fraction in write_sum(blocks, total, meter, n_samples):
            yield done + _SHARES[2] * fraction
    done += _SHARES[2]
    for step in write_file(total, meter, plan.target, work):
        yield step if isinstance(step, Finished) else done + _SHARES[3] * step


def _sample_rate(deck: DeckPlan, work: Path) -> int:
    with open_lane(deck.files[0], work) as reader:
        return reader.sample_rate


def _play_deck(
    deck: DeckPlan,
    course: tuple[Times, Times],
    span: tuple[int, int],
    rate: int,
    path: Path,
    work: Path,
) -> Iterator[float]:
    """Write what is heard of a track in a span of the render, in stereo; yield fractions."""
    start, stop = span
    times, positions = (np.array(seconds) * rate for seconds in course)
    # The outgoing track usually keeps its tempo: whole samples then leave it as it is.
    shift = np.rint(positions[0] - times[0])
    if np.abs(positions - times - (positions[0] - times[0])).max() < 0.5:
        positions = times + shift
    with ExitStack() as stack:
        readers = [stack.enter_context(open_lane(f, work, rate)) for f in deck.files]
        bus = Bus(
            readers,
            [np.eye(2) * linear(deck.gain_db - file.gain_db) for file in deck.files],
            2,
            [_dropper(deck, file, rate) for file in deck.files],
        )
        writer = stack.enter_context(AudioWriter(path, sample_rate=rate, n_channels=2))
        heard = play(
            bus.read,
            TimeMap(times - start, positions),
            stop - start,
            n_channels=2,
            sample_rate=rate,
        )
        for block in heard:
            writer.write(block)
            yield writer.n_samples / (stop - start)


def _dropper(deck: DeckPlan, file: LaneFile, rate: int) -> Envelope | None:
    """Return the gain of a stem over its samples: 0 where it is dropped."""
    spans = [
        (start_s * rate, end_s * rate)
        for label, start_s, end_s in deck.drops
        if label == file.label
    ]
    if not spans:
        return None
    ramp = _RAMP_S * rate

    def envelope(start: int, stop: int) -> Gains:
        samples = np.arange(start, stop, dtype=np.float64)
        gains = np.ones(stop - start)
        for first, last in spans:
            outside = np.maximum(first - samples, samples - last)
            gains = np.minimum(gains, np.clip(outside / ramp, 0.0, 1.0))
        return gains

    return envelope


class _Faders:
    """Gains of both tracks over the samples of the render."""

    def __init__(self, timeline: Timeline, fade: Fade, rate: int) -> None:
        self._mix = (timeline.starts_s * rate, timeline.ends_s * rate)
        self._swap = (timeline.swap_s[0] * rate, timeline.swap_s[1] * rate)
        self.splits_bass = fade == "bass_swap"
        n_taps = round(_FILTER_S * rate) | 1
        self.taps: Gains = firwin(n_taps, BASS_HZ, fs=rate)

    def is_mixing(self, start: int, stop: int) -> bool:
        """Return whether both tracks are heard somewhere in a span."""
        return start < self._mix[1] and stop > self._mix[0]

    def gains(self, start: int, stop: int) -> tuple[Gains, Gains]:
        """Return the gains (outgoing, incoming) of a span."""
        return _quarter_turn(start, stop, self._mix)

    def bass_gains(self, start: int, stop: int) -> tuple[Gains, Gains]:
        """Return the gains of the basses."""
        return _quarter_turn(start, stop, self._swap)


def _quarter_turn(start: int, stop: int, span: tuple[float, float]) -> tuple[Gains, Gains]:
    done = np.clip((np.arange(start, stop) - span[0]) / (span[1] - span[0]), 0.0, 1.0)
    outgoing, incoming = np.cos(done * np.pi / 2), np.sin(done * np.pi / 2)
    outgoing[done == 1.0] = 0.0
    return outgoing, incoming


def _sum(
    readers: list[AudioReader], offsets: tuple[int, int], faders: _Faders, n_samples: int
) -> Iterator[Samples]:
    margin = len(faders.taps) // 2
    for start in range(0, n_samples, BLOCK_SIZE):
        stop = min(start + BLOCK_SIZE, n_samples)
        sides = zip(
            readers, offsets, faders.gains(start, stop), faders.bass_gains(start, stop), strict=True
        )
        total = np.zeros((2, stop - start))
        for reader, offset, gains, bass_gains in sides:
            if not faders.splits_bass or not faders.is_mixing(start, stop):
                total += _read(reader, start - offset, stop - offset) * gains
                continue
            wide = _read(reader, start - offset - margin, stop - offset + margin)
            heard = wide[:, margin : wide.shape[1] - margin]
            bass = fftconvolve(wide, faders.taps[None, :], mode="valid", axes=1)
            total += (heard - bass) * gains + bass * bass_gains
        yield total.astype(np.float32)


def _read(reader: AudioReader, start: int, stop: int) -> NDArray[np.float64]:
    """Return samples, with silence beyond the ends."""
    samples = np.zeros((reader.n_channels, stop - start))
    low, high = (min(max(edge, 0), reader.n_samples) for edge in (start, stop))
    if low < high:
        samples[:, low - start : high - start] = reader.read(low, high)
    return samples
