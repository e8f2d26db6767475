"""When the beats of two tracks are heard in a transition.

Conventions: times are seconds of the render, positions seconds of a track. In the mix, beat ``j``
of both tracks is heard at the same time, whatever the jitter of either grid.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidOption
from core.playlist.tempo import fold_octaves
from core.rendering.grid import Grid
from stemcrate.schemas.renders import TempoCourse

_SLOWEST, _FASTEST = 0.5, 2.0
"""Speeds of the incoming track that are still rendered: beyond, nothing sounds like itself."""

Times = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the mix lies: bars of each track, its length, and what is heard around it, in bars."""

    out_bar: int
    in_bar: int
    overlap_bars: int
    before_bars: int
    after_bars: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """A transition in time; ``outgoing`` and ``incoming`` are pairs of times and positions."""

    starts_s: float
    ends_s: float
    swap_s: tuple[float, float]
    """The beat in the middle in which the basses are swapped."""
    duration_s: float
    outgoing: tuple[Times, Times]
    incoming: tuple[Times, Times]

    @property
    def outgoing_start_s(self) -> float:
        """The outgoing track's position at time 0."""
        times, positions = self.outgoing
        return positions[0] - times[0]

    @property
    def incoming_speed(self) -> float:
        """The speed of the incoming track in the first beat of the mix."""
        times, positions = self.incoming
        return (positions[1] - positions[0]) / (times[1] - times[0])


def draw_timeline(
    outgoing: Grid,
    incoming: Grid,
    placement: Placement,
    tempo: TempoCourse,
    *,
    incoming_end_s: float | None = None,
) -> Timeline:
    """Place a transition on the grids; it ends at the latest with the incoming track.

    Raises InvalidOption if the tempi are too far apart, half and double tempo allowed for.
    """
    n_beats = placement.overlap_bars * outgoing.beats_per_bar
    beats = np.arange(n_beats + 1.0)
    out_beat = outgoing.first_beat(placement.out_bar)
    out_s = outgoing.times_s(out_beat + beats)
    in_beat = incoming.first_beat(placement.in_bar)
    step = _beats_per_beat(outgoing, out_beat, incoming, in_beat, n_beats)
    in_s = incoming.times_s(in_beat + step * beats)
    first_s = _first_position_s(outgoing, placement, float(out_s[0]))
    starts_s = float(out_s[0]) - first_s
    out_period_s, in_period_s = (float(s[-1] - s[0]) / n_beats for s in (out_s, in_s))
    if tempo == "hold":
        times = out_s - first_s
        speed = in_period_s / out_period_s
        last_period_s = out_period_s
    else:
        times = starts_s + _glide(out_period_s, in_period_s, n_beats)
        speed = 1.0
        last_period_s = in_period_s
    n_after = placement.after_bars * incoming.beats_per_bar / step
    after_s = n_after * last_period_s
    if incoming_end_s is not None:
        after_s = min(after_s, max(0.0, incoming_end_s - float(in_s[-1])) / speed)
    middle = (placement.overlap_bars // 2) * outgoing.beats_per_bar
    return Timeline(
        starts_s=starts_s,
        ends_s=float(times[-1]),
        swap_s=(float(times[middle]), float(times[middle + 1])),
        duration_s=float(times[-1]) + after_s,
        outgoing=_pairs(
            np.concatenate([[starts_s - 1.0], times]), np.concatenate([[out_s[0] - 1.0], out_s])
        ),
        incoming=_pairs(
            np.concatenate([times, [times[-1] + 1.0]]), np.concatenate([in_s, [in_s[-1] + speed]])
        ),
    )


def _beats_per_beat(
    outgoing: Grid, out_beat: int, incoming: Grid, in_beat: int, n_beats: int
) -> float:
    """Return the beats of the incoming track in one of the outgoing: 1, ½ or 2."""
    out_tempo, in_tempo = (
        n_beats / (grid.time_s(beat + n_beats) - grid.time_s(beat))
        for grid, beat in ((outgoing, out_beat), (incoming, in_beat))
    )
    octaves = fold_octaves(np.array([np.log2(out_tempo)]), np.array([np.log2(in_tempo)]))
    step = float(2.0 ** -octaves[0])
    speed = out_tempo * step / in_tempo
    if not _SLOWEST <= speed <= _FASTEST:
        raise InvalidOption(
            f"The tempi, {out_tempo * 60:.1f} and {in_tempo * 60:.1f} BPM, are too far apart.",
            hint="Choose tracks whose tempi, or their halves or doubles, are closer.",
            field="incoming",
        )
    return step


def _first_position_s(outgoing: Grid, placement: Placement, mix_out_s: float) -> float:
    """Return the outgoing position at the start: a bar, at the earliest the first sample."""
    first_s = outgoing.time_s(outgoing.first_beat(placement.out_bar - placement.before_bars))
    return min(max(first_s, 0.0), mix_out_s)


def _glide(from_period_s: float, to_period_s: float, n_beats: int) -> NDArray[np.float64]:
    """Return the times of beats, from 0, whose tempo goes linearly from one to another."""
    middles = (np.arange(n_beats) + 0.5) / n_beats
    tempi = 1 / from_period_s + (1 / to_period_s - 1 / from_period_s) * middles
    times: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(1 / tempi)])
    return times


def _pairs(
    times: NDArray[np.float64], positions: NDArray[np.float64]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(times.tolist()), tuple(positions.tolist())
