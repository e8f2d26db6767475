"""What is played between beats: the input of the network of bars (`core.analysis.rhythm.bar_net`).

Every beat is divided into 12 ticks, so that sixteenths and triplets fall on whole ticks: the
tempo no longer matters. Each tick has the rise and the level of bands, from the sub-bass of a kick
drum to cymbals; each beat has the changes of harmony and of bass around it and around the instant
half a beat later.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from core.analysis.flux import COMPRESSION, LAG_FRAMES, widen
from core.analysis.rhythm.onset import sharpen
from core.analysis.spectra import BINS_PER_SEMITONE, LOWEST_MIDI, Spectra

TICKS = 12
"""Ticks of a beat."""
BANDS = ((0, 1), (1, 2), (2, 4), (4, 8), (8, 14), (14, 22), (22, 30), (30, 40))
"""Mel bands from, to: sub-bass, kick, bass, low mids, mids, snare, presence, cymbals."""
N_TICK = 2 * len(BANDS)
"""Features of a tick: the rise of each band, then its level."""
SPANS_BEATS = (1, 2, 4)
"""Beats before and after an instant between which pitches are compared."""
N_BEAT = 4 * len(SPANS_BEATS)
"""Features of a beat: changes of harmony and of bass, on the beat and half a beat later."""
WIDTH = TICKS * N_TICK + N_BEAT
"""Features of a beat with its ticks."""
_BLOCK_FRAMES = 8192  # bounds memory; the result does not depend on it

_Array = NDArray[np.float64]
_Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PatternRules:
    """How bands are levelled.

    Parameters
    ----------
    level_s : seconds around a frame whose mean level is subtracted: two bars.
    highest_bass : MIDI number from which pitches no longer count as bass.
    compression : magnitudes m of pitches become log(1 + compression * m / peak).
    gap_frames : frames of the pitches left out on either side of an instant, which hear both sides.
    least_move : deviation of a feature below which it stays small when it is levelled.
    harmony_gain : changes of harmony, 0 to 1 and mostly below .3, are multiplied by it.

    bench.train_bars trains on patterns measured so. No benchmark of single values is recorded.
    """

    level_s: float = 4.0
    highest_bass: int = 52
    compression: float = 1000.0
    gap_frames: float = 1.0
    least_move: float = 0.1
    harmony_gain: float = 4.0


RULES = PatternRules()


@dataclass(frozen=True, slots=True)
class Strokes:
    """Bands and pitches of a recording, from which the patterns of any beats are cut.

    Parameters
    ----------
    bands : rise and level of each band, ``(n_frames, N_TICK)``.
    frame_rate_hz : frames a second of `bands`.
    pitches : running sums of the pitch classes of all notes and of the bass, ``(1 + n, 24)``.
    pitch_rate_hz : rows a second of `pitches`.
    """

    bands: _Matrix
    frame_rate_hz: float
    pitches: _Array
    pitch_rate_hz: float


def measure_strokes(spectra: Spectra) -> Strokes:
    """Measure bands and pitches; zeros for silence."""
    rate = spectra.mel_rate_hz
    size = max(1, round(RULES.level_s * rate))
    bands = _average_bands(spectra)
    half = N_TICK // 2
    for column in range(half):
        bands[:, column] = np.log1p(sharpen(bands[:, column], rate))
    for column in range(half, N_TICK):
        level = bands[:, column].astype(np.float64)
        bands[:, column] = level - uniform_filter1d(level, size)
    return Strokes(bands, rate, _sum_classes(spectra), spectra.pitch_rate_hz)


def _average_bands(spectra: Spectra) -> _Matrix:
    """Return rise and level of each of `BANDS`, ``(n_frames, N_TICK)``."""
    gain = np.float32(COMPRESSION / max(spectra.peak, 1e-9))
    bands = np.empty((len(spectra.mel), N_TICK), dtype=np.float32)
    before = np.log1p(gain * spectra.mel[:LAG_FRAMES])
    for start in range(0, len(bands), _BLOCK_FRAMES):
        block = np.log1p(gain * spectra.mel[start : start + _BLOCK_FRAMES])
        levels = np.concatenate([before, block])
        rises = np.maximum(0, block - widen(levels[: len(block)]))
        for column, (low, high) in enumerate(BANDS):
            rows = slice(start, start + len(block))
            bands[rows, column] = rises[:, low:high].mean(axis=1)
            bands[rows, column + len(BANDS)] = block[:, low:high].mean(axis=1)
        before = levels[-LAG_FRAMES:]
    bands[:LAG_FRAMES, : len(BANDS)] = 0
    return bands


def cut_beats(strokes: Strokes, beats_s: _Array) -> _Matrix:
    """Return the features of beats, ``(n_beats, WIDTH)``.

    Parameters
    ----------
    strokes : of the recording.
    beats_s : ascending times in seconds, at least 2; the last beat is as long as the one before.

    Returns
    -------
    Those of the 12 ticks, then those of the beat. A tick begins half of its length before its
    instant, and has the largest rise and the mean level.
    """
    edges_s = np.append(beats_s, 2 * beats_s[-1] - beats_s[-2])
    steps = (np.arange(TICKS * len(beats_s) + 1) - 0.5) / TICKS
    numbers = np.arange(len(edges_s))
    times_s = np.interp(steps, numbers, edges_s)
    times_s[0] = edges_s[0] - (edges_s[1] - edges_s[0]) / TICKS / 2
    ends = np.clip(np.rint(times_s * strokes.frame_rate_hz), 0, len(strokes.bands)).astype(np.intp)
    half = N_TICK // 2
    padded = np.concatenate([strokes.bands, np.zeros((1, N_TICK), dtype=np.float32)])
    ticks = np.empty((len(ends) - 1, N_TICK), dtype=np.float32)
    ticks[:, :half] = np.maximum.reduceat(padded[:, :half], ends[:-1], axis=0)
    lengths = np.maximum(1, np.diff(ends))[:, None]
    ticks[:, half:] = np.add.reduceat(padded[:, half:], ends, axis=0)[:-1] / lengths
    beat_s = np.diff(edges_s)
    changes = [
        _measure_changes(strokes, times, beat_s) for times in (beats_s, beats_s + beat_s / 2)
    ]
    rows = np.concatenate([ticks.reshape(len(beats_s), -1), *changes], axis=1)
    return level_rows(rows.astype(np.float32))


def level_rows(rows: _Matrix) -> _Matrix:
    """Give each feature mean 0 and deviation 1 over the beats, those of a band together.

    Equalisers, compressors and rooms then matter less. A band that hardly moves stays small.
    """
    n_ticks = TICKS * N_TICK
    ticks = rows[:, :n_ticks].reshape(len(rows), TICKS, N_TICK)
    ticks = (ticks - ticks.mean(axis=(0, 1))) / (ticks.std(axis=(0, 1)) + RULES.least_move)
    beats = rows[:, n_ticks:]
    beats = (beats - beats.mean(axis=0)) / (beats.std(axis=0) + RULES.least_move)
    return np.concatenate([ticks.reshape(len(rows), -1), beats], axis=1)


def _sum_classes(spectra: Spectra) -> _Array:
    """Return running sums of pitch classes, ``(1 + n_frames, 24)``."""
    levels = np.log1p(spectra.pitches * np.float32(RULES.compression / max(spectra.peak, 1e-9)))
    notes = levels.reshape(len(levels), -1, BINS_PER_SEMITONE).max(axis=2)
    midi = LOWEST_MIDI + np.arange(notes.shape[1])
    bass = notes * (midi < RULES.highest_bass)
    both = []
    for part in (notes, bass):
        chroma = np.stack([part[:, midi % 12 == c].sum(axis=1) for c in range(12)], axis=1)
        both.append(chroma - chroma.min(axis=1, keepdims=True))
    chroma = np.concatenate(both, axis=1)
    return np.concatenate([np.zeros((1, 24)), np.cumsum(chroma, axis=0, dtype=np.float64)])


def _measure_changes(strokes: Strokes, times_s: _Array, beat_s: _Array) -> _Array:
    """Return the change of all pitches, then of the bass, by span, ``(n, 2 * n_spans)``."""
    rate, gap = strokes.pitch_rate_hz, RULES.gap_frames
    centres = times_s * rate + 0.5
    reaches = [np.maximum(span * beat_s * rate, gap + 0.5) for span in SPANS_BEATS]
    edges = [centres - gap, centres + gap]
    edges += [centres + side * reach for reach in reaches for side in (-1, 1)]
    sums = _sum_until(strokes.pitches, np.stack(edges)).reshape(len(edges), len(times_s), 2, 12)
    past, future = sums[0] - sums[2::2], sums[3::2] - sums[1]
    norms = np.einsum("snpc,snpc->snp", past, past) * np.einsum("snpc,snpc->snp", future, future)
    likeness = np.einsum("snpc,snpc->snp", past, future) / np.sqrt(np.maximum(norms, 1e-24))
    changes = np.where(norms > 1e-18, RULES.harmony_gain * (1 - likeness), 0.0)
    by_beat: _Array = changes.transpose(1, 0, 2).reshape(len(times_s), -1)
    return by_beat


def _sum_until(sums: _Array, positions: _Array) -> _Array:
    """Interpolate running sums, ``(*positions.shape, n_columns)``."""
    positions = np.clip(positions, 0, len(sums) - 1)
    lower = np.minimum(positions.astype(np.intp), len(sums) - 2)
    part = (positions - lower)[..., None]
    values: _Array = sums[lower] * (1 - part) + sums[lower + 1] * part
    return values
