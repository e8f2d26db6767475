"""Phase of the beat: on an onset, or half a beat later?

The onsets of the whole recording are folded onto one beat. The peaks of that fold, and the instants
half a beat from them, are candidates. The network of bars (`core.analysis.rhythm.bar_net`) ranks
them by what is played on and between the beats, together with a learned score over the strength of
the bands around each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.peaks import parabolic_shift
from core.analysis.rhythm.bar_net import score_beats
from core.analysis.rhythm.onset import LATENCY_S, OnsetBands
from core.analysis.rhythm.patterns import Strokes
from core.analysis.rhythm.ranker import load_ranker, softmax

N_BINS = 48
"""Bins of a beat: a multiple of 3 and 16, so triplets and sixteenths fall on whole bins."""
_OFFSETS = np.arange(8) * N_BINS // 8  # the eighths of a beat

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PhaseRules:
    """Which instants are candidates for the beat.

    Parameters
    ----------
    n_peaks : strongest peaks of the folded beat that become candidates, each with the instant half
        a beat from it.
    apart_bins : candidates within this many of `N_BINS` bins of a better one are dropped.
    near_bins : how far, in bins, a candidate may lie from an instant that it speaks for.
    peak_bins : how far, in bins, the peak that places a candidate exactly may lie from it.
    fold_weight : weight of the score over the fold; that of the network is 1.

    The candidates' weights are trained by bench.train_rhythm on songs made by rule, with these
    values; `fold_weight` was chosen among 9 on made songs that are not trained on and on recordings
    (docs/benchmarks.md).
    """

    n_peaks: int = 3
    apart_bins: int = 3
    near_bins: int = 5
    peak_bins: int = 2
    fold_weight: float = 0.5


RULES = PhaseRules()


@dataclass(frozen=True, slots=True)
class Phases:
    """Candidate phases of the beat, best first.

    Parameters
    ----------
    places : fractions of a beat, 0 to 1, ``(n,)``, n at least 1.
    scores : log-probabilities up to a constant, comparable with those of other tempi.
    """

    places: _Array
    scores: _Array

    @property
    def sureness(self) -> float:
        """Probability of the best phase, 0 to 1."""
        return float(softmax(self.scores)[0])


def rank_phases(
    onsets: OnsetBands, strokes: Strokes, positions: _Array, *, start_s: float = 0.0
) -> Phases:
    """Rank the phases of the beat.

    Parameters
    ----------
    onsets : of the recording or a part of it.
    strokes : of the recording.
    positions : position in beats of each frame of `onsets`, ``(n_frames,)``, ascending, up to an
        unknown phase.
    start_s : time of the first frame.
    """
    folded = fold_beats(onsets, positions)
    bins = find_phases(folded)
    scores = RULES.fold_weight * load_ranker("phase").score(phase_features(folded, bins))
    times_s = start_s + np.arange(len(positions)) / onsets.frame_rate_hz + LATENCY_S
    for index, bin_ in enumerate(bins):
        place = (bin_ + 0.5) / N_BINS
        numbers = np.arange(np.ceil(positions[0] - place), positions[-1] - place) + place
        if len(numbers) > 1:
            beats_s = np.interp(numbers, positions, times_s)
            scores[index] += float(score_beats(strokes, beats_s).fit.mean())
    order = np.argsort(-scores)
    places = np.array([_sub_bin(folded, int(bin_)) for bin_ in bins[order]])
    return Phases(places, scores[order])


def fold_beats(onsets: OnsetBands, positions: _Array) -> _Array:
    """Average the onsets over pairs of beats, ``(n_bands, 2 * N_BINS)``; each band has mean 1."""
    bins = np.floor(positions % 2 * N_BINS).astype(np.intp) % (2 * N_BINS)
    counts = np.maximum(1, np.bincount(bins, minlength=2 * N_BINS))
    return smooth_fold(
        np.stack([np.bincount(bins, band, 2 * N_BINS) / counts for band in onsets.strength])
    )


def smooth_fold(folded: _Array) -> _Array:
    """Smooth folds, ``(..., n_bins)``, over three bins, and scale each to mean 1."""
    smooth = (2 * folded + np.roll(folded, 1, axis=-1) + np.roll(folded, -1, axis=-1)) / 4
    levelled: _Array = smooth / np.maximum(smooth.mean(axis=-1, keepdims=True), 1e-9)
    return levelled


def find_phases(folded: _Array) -> NDArray[np.intp]:
    """Return the candidate bins, ``(n,)``: the strongest peaks, and half a beat from each."""
    beat = _profile(folded)
    is_peak = (beat >= np.roll(beat, 1)) & (beat > np.roll(beat, -1))
    peaks = np.flatnonzero(is_peak)
    peaks = peaks[np.argsort(-beat[peaks])][: RULES.n_peaks] if len(peaks) else np.array([0])
    kept: list[int] = []
    for bin_ in np.concatenate([peaks, (peaks + N_BINS // 2) % N_BINS]):
        distances = [min((bin_ - other) % N_BINS, (other - bin_) % N_BINS) for other in kept]
        if not distances or min(distances) > RULES.apart_bins:
            kept.append(int(bin_))
    return np.array(kept, dtype=np.intp)


def phase_features(folded: _Array, bins: NDArray[np.intp]) -> _Array:
    """Return the strength of the bands in eighths of a beat from each candidate, ``(n, 50)``.

    The last columns are the differences of alternate beats, on the beat and half a beat later.
    """
    pairs = folded.reshape(len(folded), 2, N_BINS)
    beat, turn = pairs.mean(axis=1), np.abs(pairs[:, 0] - pairs[:, 1])
    near = np.maximum(beat, np.maximum(np.roll(beat, 1, axis=1), np.roll(beat, -1, axis=1)))
    at = (bins[:, None] + _OFFSETS) % N_BINS
    turns = (bins[:, None] + np.array([0, N_BINS // 2])) % N_BINS
    rows = [np.log1p(near[:, at]), turn[:, turns]]
    return np.concatenate([r.transpose(1, 0, 2).reshape(len(bins), -1) for r in rows], axis=1)


def rate_half_beat(folded: _Array) -> float:
    """Return the score of a beat at the fold's start minus that of one half a beat later."""
    bins = find_phases(folded)
    scores = load_ranker("phase").score(phase_features(folded, bins))
    away = np.abs((bins[:, None] - np.array([0, N_BINS // 2]) + N_BINS // 2) % N_BINS - N_BINS // 2)
    at, later = np.where(away <= RULES.near_bins, scores[:, None], scores.min() - 1).max(axis=0)
    return float(at - later)


def _profile(folded: _Array) -> _Array:
    beat: _Array = folded[:2].sum(axis=0).reshape(2, N_BINS).mean(axis=0)
    return beat


def _sub_bin(folded: _Array, bin_: int) -> float:
    """Return the position of the peak within 2 bins, as a fraction of a beat."""
    beat = _profile(folded)
    around = (bin_ + np.arange(-RULES.peak_bins, RULES.peak_bins + 1)) % N_BINS
    peak = int(around[beat[around].argmax()])
    shift = parabolic_shift(*(beat[(peak + step) % N_BINS] for step in (-1, 0, 1)))
    return float((peak + 0.5 + np.clip(shift, -0.5, 0.5)) / N_BINS % 1)
