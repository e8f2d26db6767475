"""Stretches of one even grid, separated by a stop, a cut or a step of tempo.

The pulse of half beats has a phase in each window of 4 s. While the tempo holds, the phases lie on
a straight line; after a stop they lie on another. The line through the clearest 12 s is extended
both ways as long as it gains more pulse than it loses, so that it crosses a passage without a beat.
The remaining parts are searched for lines of their own, at tempi of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from core.analysis.rhythm.grid import refine_tempo
from core.analysis.rhythm.level import rank_levels
from core.analysis.rhythm.onset import OnsetBands
from core.analysis.rhythm.periodicity import measure_periodicity
from core.analysis.rhythm.phase import N_BINS, rate_half_beat, smooth_fold

_Array = NDArray[np.float64]
_Pulses = NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class StretchRules:
    """How stretches of one even grid are found.

    Parameters
    ----------
    window_s : length in seconds of the windows in which the pulse has a phase.
    hop_s : seconds from one of these windows to the next.
    on_line_s : largest distance in seconds of a window's phase from its line; also the largest
        offset between two grids that count as one.
    nearby : ratios of the frequencies around the pulse's own that show where a window has left it.
    moved : ratio by which a nearby frequency is stronger in a window that has left the pulse.
    faded : share of its usual level below which the pulse has faded. Only a window where it has
        both moved and faded has left the tempo: patterns have lines beside the beat's.
    usual : quantile of the levels of all windows that counts as the usual level.
    seed_windows : windows that a line starts from; with `window_s` and `hop_s` they span `least_s`.
    seed_coherence : share of the strength of these windows that must add up in phase, 0 to 1.
    least_share : share of the pulse that lies on the line of a stretch at least, 0 to 1.
    least_s : shortest gap in seconds that is searched for a tempo of its own, and shortest part on
        either side of a half step.
    farthest : largest ratio between the tempo of a gap and that of the recording; just below half
        an octave, so that no tempo is found at its double or half.
    block_s : length in seconds of the blocks between which the beat may move by half a beat.
    max_blocks : number of these blocks at most; it bounds memory and time of a long stretch.
    half_likeness : correlation, after a move by half a beat, that the patterns before and after
        must reach.
    half_lead : by how much that correlation must exceed the one without a move.
    half_score : lead of one instant over the other, as score of the phase ranker, on both sides of
        a half step.
    padding : factor of zero padding when the slope of a line through the first windows is searched.
    line_padding : the same for the line through all windows.
    max_fits : fits of a growing line at most; it stops earlier when
        the windows it uses no longer change.
    near_turn : distance in radians from the first line within which windows enter the least-squares
        fit.

    The values were chosen on recordings and made songs edited with a stop, a cut or a step of
    tempo; docs/benchmarks.md gives the share of usable grids before and after. No benchmark of
    single values is recorded.
    """

    window_s: float = 4.0
    hop_s: float = 1.0
    on_line_s: float = 0.03
    nearby: tuple[float, ...] = (0.85, 0.88, 0.91, 0.94, 1.06, 1.09, 1.12, 1.15)
    moved: float = 1.5
    faded: float = 0.5
    usual: float = 0.75
    seed_windows: int = 9
    seed_coherence: float = 0.8
    least_share: float = 0.8
    least_s: float = 12.0
    farthest: float = 1.4
    block_s: float = 2.0
    max_blocks: int = 128
    half_likeness: float = 0.85
    half_lead: float = 0.08
    half_score: float = 0.5
    padding: int = 8
    line_padding: int = 16
    max_fits: int = 12
    near_turn: float = 1.0


RULES = StretchRules()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a recording whose half beats lie on one even grid.

    Parameters
    ----------
    start_s, stop_s : from the centre of its first window of 4 s to that of its last.
    tempo_bpm : to about 0.1 %.
    anchor_s : time of a beat or half beat near the middle.
    share : share of its pulse on the grid, 0 to 1.
    """

    start_s: float
    stop_s: float
    tempo_bpm: float
    anchor_s: float
    share: float

    def is_one_with(self, other: "Stretch") -> bool:
        """Check whether two stretches share a grid, within the accuracy of both."""
        drift_s = abs(self.tempo_bpm / other.tempo_bpm - 1) * min(self.length_s, other.length_s)
        first, last = sorted((self, other), key=lambda stretch: stretch.start_s)
        between_s, half_s = (first.stop_s + last.start_s) / 2, 30 / self.tempo_bpm
        away_s = last.place(between_s) - first.place(between_s)
        step_s = abs((away_s + half_s / 2) % half_s - half_s / 2)
        return drift_s <= RULES.on_line_s and step_s <= RULES.on_line_s

    def place(self, time_s: float) -> float:
        """Return the seconds from the last point of the grid to a time."""
        return (time_s - self.anchor_s) % (30 / self.tempo_bpm)

    @property
    def length_s(self) -> float:
        """Length from start to stop, in seconds."""
        return self.stop_s - self.start_s


def rate_steadiness(envelope: _Array, frame_rate_hz: float, tempo_bpm: float) -> float:
    """Return the share of a recording on one even grid near a tempo, 0 to 1.

    In windows of 4 s the phase of the beat, and of its half, is compared with the straight line
    that fits all windows best; windows are weighted by the strength of their pulse. Recordings
    shorter than 8 s count as steady.
    """
    frames = round(RULES.window_s * frame_rate_hz)
    windows = _cut(envelope, frames, max(1, frames // 2))
    if len(windows) < 3:
        return 1.0
    shares = []
    for harmonic in (1, 2):
        frequency_hz = harmonic * tempo_bpm / 60
        pulses, level, has_moved = _find_pulses(windows, frames // 2, frame_rate_hz, frequency_hz)
        slope, phase = _lay_line(pulses)
        is_on_line = _is_on_line(pulses, slope, phase, 1 / frequency_hz) & ~has_moved
        shares.append(float(level[is_on_line].sum() / max(level.sum(), 1e-12)))
    return max(shares)


def find_stretches(onsets: OnsetBands, envelope: _Array, tempo_bpm: float) -> list[Stretch]:
    """Find the parts with an even grid each, ascending; a single one if one grid holds throughout.

    Tempi are searched near the one given, and in the remaining parts within a ratio of 1.4. Gaps
    between stretches, and parts shorter than 12 s, belong to no stretch.
    """
    found = _peel(envelope, onsets.frame_rate_hz, tempo_bpm)
    edges_s = [0.0, *(t for one in found for t in (one.start_s, one.stop_s)), np.inf]
    for start_s, stop_s in zip(edges_s[::2], edges_s[1::2], strict=True):
        first = round(start_s * onsets.frame_rate_hz)
        last = round(min(stop_s * onsets.frame_rate_hz, len(envelope)))
        if last - first >= RULES.least_s * onsets.frame_rate_hz:
            found += _find_within(onsets, envelope, tempo_bpm, first, last)
    return _join(sorted(found, key=lambda stretch: stretch.start_s))


def split_half_steps(onsets: OnsetBands, stretches: Sequence[Stretch]) -> list[Stretch]:
    """Split stretches where the beat jumps by half a beat, which the half-beat pulse cannot show.

    There the patterns before and after are more similar after a shift by half a beat than without,
    and the ranker places the beat differently in each.
    """
    parts: list[Stretch] = []
    for one in stretches:
        step_s = _find_half_step(onsets, one)
        if step_s is None:
            parts.append(one)
        else:
            parts += [replace(one, stop_s=step_s[0]), replace(one, start_s=step_s[1])]
    return parts


def _find_half_step(onsets: OnsetBands, stretch: Stretch) -> tuple[float, float] | None:
    """Find the times between which the beat jumps by half a beat; None if it does not."""
    block_s = max(RULES.block_s, stretch.length_s / RULES.max_blocks)
    least = max(1, round(RULES.least_s / block_s))
    until = np.cumsum(_fold_blocks(onsets, stretch, block_s), axis=0)
    if len(until) < 2 * least:
        return None
    sides = [smooth_fold(side[least - 1 : -least]) for side in (until, until[-1] - until)]
    first, last = (np.log1p(side) for side in sides)
    first -= first.mean(axis=2, keepdims=True)
    last -= last.mean(axis=2, keepdims=True)
    norms = np.sqrt((first**2).sum(axis=2) * (last**2).sum(axis=2)).sum(axis=1)
    likeness = np.stack(
        [
            np.einsum("tbi,tbi->t", first, np.roll(last, move * N_BINS // 2, axis=2))
            for move in range(4)
        ]
    ) / np.maximum(norms, 1e-12)
    moved, left = likeness[1::2].max(axis=0), likeness[::2].max(axis=0)
    lead = np.where(moved >= RULES.half_likeness, moved - left, 0.0)
    best = int(lead.argmax())
    if lead[best] < RULES.half_lead:
        return None
    one, other = (rate_half_beat(side[best]) for side in sides)
    if one * other > 0 or min(abs(one), abs(other)) < RULES.half_score:
        return None
    step_s = stretch.start_s + (least + best) * block_s
    return step_s - block_s, step_s + block_s


def _fold_blocks(onsets: OnsetBands, stretch: Stretch, block_s: float) -> _Array:
    """Sum onsets by position in a pair of beats, ``(n_blocks, n_bands, 2 * N_BINS)``."""
    rate, beat_s = onsets.frame_rate_hz, 60 / stretch.tempo_bpm
    n_blocks = int(stretch.length_s / block_s)
    first = round(stretch.start_s * rate)
    frames = np.arange(first, first + int(n_blocks * block_s * rate))
    places = (frames / rate - stretch.anchor_s) / beat_s % 2 * N_BINS
    blocks = np.minimum((frames - first) / rate / block_s, n_blocks - 1).astype(np.intp)
    index = blocks * 2 * N_BINS + places.astype(np.intp) % (2 * N_BINS)
    folds = [
        np.bincount(index, band[frames], n_blocks * 2 * N_BINS).reshape(n_blocks, -1)
        for band in onsets.strength
    ]
    return np.stack(folds, axis=1)


def rate_coverage(envelope: _Array, frame_rate_hz: float, stretches: Sequence[Stretch]) -> float:
    """Return the share of the onsets' power in stretches, weighted by their shares, 0 to 1."""
    power = np.concatenate([[0.0], np.cumsum(np.square(envelope))])
    held = 0.0
    for one in stretches:
        # A window holds up to its ends.
        first = max(0, round((one.start_s - RULES.window_s / 2) * frame_rate_hz))
        last = min(len(envelope), round((one.stop_s + RULES.window_s / 2) * frame_rate_hz))
        held += one.share * float(power[last] - power[first])
    return min(1.0, held / max(float(power[-1]), 1e-12))


def _find_within(
    onsets: OnsetBands, envelope: _Array, tempo_bpm: float, first: int, last: int
) -> list[Stretch]:
    """Find stretches of another tempo between two frames."""
    rate = onsets.frame_rate_hz
    part = OnsetBands(onsets.strength[:, first:last], rate)
    tempo_range_bpm = (tempo_bpm / RULES.farthest, tempo_bpm * RULES.farthest)
    levels = rank_levels(measure_periodicity(part), tempo_range_bpm)
    if not len(levels.tempi_bpm):
        return []
    local_bpm = refine_tempo(envelope[first:last], rate, float(levels.tempi_bpm[0]))
    return [
        replace(
            one,
            start_s=one.start_s + first / rate,
            stop_s=one.stop_s + first / rate,
            anchor_s=one.anchor_s + first / rate,
        )
        for one in _peel(envelope[first:last], rate, local_bpm)
    ]


def _join(stretches: list[Stretch]) -> list[Stretch]:
    """Join stretches that share a grid, including the gaps between them."""
    joined: list[Stretch] = []
    for stretch in stretches:
        same = next((i for i, one in enumerate(joined) if one.is_one_with(stretch)), None)
        if same is None:
            joined.append(stretch)
            continue
        longest = max(joined[same], stretch, key=lambda one: one.length_s)
        whole = replace(longest, start_s=joined[same].start_s, stop_s=stretch.stop_s)
        joined[same:] = [whole]
    return joined


def _peel(envelope: _Array, frame_rate_hz: float, tempo_bpm: float) -> list[Stretch]:
    frames, hop = (round(span_s * frame_rate_hz) for span_s in (RULES.window_s, RULES.hop_s))
    windows = _cut(envelope, frames, hop)
    frequency_hz, hop_s = 2 * tempo_bpm / 60, hop / frame_rate_hz
    track = _Track.measure(windows, hop, frame_rate_hz, frequency_hz)
    seeds = track.rate_seeds()
    is_free = np.ones(len(windows), dtype=np.bool_)
    found = []
    while seeds.any():
        line = track.grow(int(seeds.argmax()), is_free)
        is_free[line.start : line.stop] = False
        seeds[max(0, line.start - RULES.seed_windows + 1) : line.stop] = 0
        if line.share < RULES.least_share:
            continue
        middle = (line.start + line.stop) // 2
        found_hz = frequency_hz + line.slope / (2 * np.pi * hop_s)
        # The phase of a window is that of its middle.
        middle_s = middle * hop_s + RULES.window_s / 2
        turns = frequency_hz * middle_s + (line.phase + line.slope * middle) / (2 * np.pi)
        found.append(
            Stretch(
                start_s=line.start * hop_s + RULES.window_s / 2,
                stop_s=(line.stop - 1) * hop_s + RULES.window_s / 2,
                tempo_bpm=30 * found_hz,
                anchor_s=middle_s - (turns % 1) / found_hz,
                share=line.share,
            )
        )
    return sorted(found, key=lambda stretch: stretch.start_s)


@dataclass(frozen=True, slots=True)
class _Line:
    """Windows ``start`` to ``stop``, with phases about ``phase + slope * window`` in radians."""

    start: int
    stop: int
    slope: float
    phase: float
    share: float


@dataclass(frozen=True, slots=True)
class _Track:
    """Pulse of one frequency in windows, and its period in seconds."""

    pulses: _Pulses
    level: _Array
    has_moved: NDArray[np.bool_]
    period_s: float

    @classmethod
    def measure(cls, windows: _Array, hop: int, frame_rate_hz: float, hz: float) -> "_Track":
        """Measure windows; the level of one is limited to twice the median."""
        if not len(windows):
            return cls(np.zeros(0, complex), np.zeros(0), np.zeros(0, np.bool_), 1 / hz)
        pulses, level, has_moved = _find_pulses(windows, hop, frame_rate_hz, hz)
        return cls(pulses, np.minimum(level, 2 * np.median(level)), has_moved, 1 / hz)

    def rate_seeds(self) -> _Array:
        """Return the strength on a line of each window and the next ones; 0 if incoherent."""
        if len(self.pulses) < RULES.seed_windows:
            return np.zeros(0)
        parts = np.lib.stride_tricks.sliding_window_view(self.pulses, RULES.seed_windows)
        together = np.abs(fft.fft(parts, RULES.padding * RULES.seed_windows, axis=1)).max(axis=1)
        apart = np.abs(parts).sum(axis=1)
        return np.where(together > RULES.seed_coherence * apart, together, 0.0)

    def grow(self, seed: int, is_free: NDArray[np.bool_]) -> _Line:
        """Extend the line through a seed over free windows as long as that gains pulse."""
        taken = np.flatnonzero(~is_free)
        lowest = int(taken[taken < seed].max(initial=-1)) + 1
        highest = int(taken[taken > seed].min(initial=len(is_free)))
        start, stop = seed, seed + RULES.seed_windows
        is_used = np.zeros(len(is_free), dtype=np.bool_)
        is_used[start:stop] = True
        for _ in range(RULES.max_fits):
            used = np.where(is_used[start:stop], self.pulses[start:stop], 0.0)
            slope, phase = _fit_line(used)
            phase -= slope * start
            is_on = _is_on_line(self.pulses, slope, phase, self.period_s) & ~self.has_moved
            gains = np.where(is_on, self.level, -self.level)
            # A fit is extrapolated by at most its own length on either side.
            reach = stop - start
            after = gains[seed + RULES.seed_windows : min(highest, stop + reach)]
            before = gains[max(lowest, start - reach) : seed][::-1]
            found = seed - _longest(before), seed + RULES.seed_windows + _longest(after)
            was_used, is_used = is_used, np.zeros(len(is_free), dtype=np.bool_)
            start, stop = found
            is_used[start:stop] = is_on[start:stop]
            if not is_used.any() or (is_used == was_used).all():
                break
        share = self.level[is_used].sum() / max(self.level[start:stop].sum(), 1e-12)
        return _Line(start, stop, slope, phase, float(share))


def _longest(gains: _Array) -> int:
    """Return the length of the prefix with the largest sum."""
    return int(np.concatenate([[0.0], np.cumsum(gains)]).argmax())


def _fit_line(pulses: _Pulses) -> tuple[float, float]:
    """Fit a line to most of the strength, then by least squares to the windows near it."""
    slope, phase = _lay_line(pulses)
    windows = np.arange(len(pulses))
    for _ in range(2):
        away = np.angle(pulses * np.exp(-1j * (slope * windows + phase)))
        weights = np.abs(pulses) * (np.abs(away) < RULES.near_turn)
        total = weights.sum()
        if np.count_nonzero(weights) < 3:
            break
        middle, mean = weights @ windows / total, weights @ away / total
        turn = weights * (windows - middle) @ away / (weights @ (windows - middle) ** 2)
        slope, phase = slope + float(turn), phase + float(mean - turn * middle)
    return slope, phase


def _cut(envelope: _Array, frames: int, hop: int) -> _Array:
    """Cut an envelope, its mean removed, into windows, ``(n_windows, frames)``."""
    if len(envelope) < frames:
        return np.zeros((0, frames))
    centred = envelope - envelope.mean()
    # Products of matrices are slow where rows overlap.
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(centred, frames)[::hop])


def _find_pulses(
    windows: _Array, hop: int, frame_rate_hz: float, frequency_hz: float
) -> tuple[_Pulses, _Array, NDArray[np.bool_]]:
    """Return the phasor of a frequency in each window, its level, and which windows have left it.

    In windows that have left it, the level is that of the loudest nearby frequency.
    """
    turns_hz = frequency_hz * np.array([1.0, *RULES.nearby])
    angles = 2 * np.pi * np.outer(np.arange(windows.shape[1]) / frame_rate_hz, turns_hz)
    each = windows @ np.cos(angles) - 1j * (windows @ np.sin(angles))
    starts_s = np.arange(len(windows)) * hop / frame_rate_hz
    pulses: _Pulses = each[:, 0] * np.exp(-2j * np.pi * frequency_hz * starts_s)
    levels = np.abs(each)
    level, loudest = levels[:, 0], levels.max(axis=1)
    has_moved = (loudest > RULES.moved * level) & (
        level < RULES.faded * np.quantile(level, RULES.usual)
    )
    return pulses, np.where(has_moved, loudest, level), has_moved


def _lay_line(pulses: _Pulses) -> tuple[float, float]:
    """Return slope per window and phase, in radians, of the line through most of the strength."""
    # The best slope is the strongest bin of the pulses' own (zero-padded) spectrum.
    size = RULES.line_padding * len(pulses)
    slope = 2 * np.pi * float(np.fft.fftfreq(size)[np.argmax(np.abs(np.fft.fft(pulses, size)))])
    turned = pulses * np.exp(-1j * slope * np.arange(len(pulses)))
    return slope, float(np.angle(turned.sum()))


def _is_on_line(pulses: _Pulses, slope: float, phase: float, period_s: float) -> NDArray[np.bool_]:
    """Check which pulses have a phase within 30 ms of a line."""
    turned = pulses * np.exp(-1j * (slope * np.arange(len(pulses)) + phase))
    offsets_s = np.angle(turned) / (2 * np.pi) * period_s
    on_line: NDArray[np.bool_] = np.abs(offsets_s) <= RULES.on_line_s
    return on_line
