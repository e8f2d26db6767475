"""Downbeats and time signature.

Harmony changes on the first beat of a bar, and the kick drum stresses it, while the snare does not:
a learned score over accents and harmonic changes at each position of the bar, and the network of
bars (`core.analysis.rhythm.bar_net`), rank the positions.
The time signature follows from the lags, in beats, at which the music resembles itself.

Reference: Davies & Plumbley, "A spectral difference approach to downbeat extraction in musical
audio", EUSIPCO 2006.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.analysis.rhythm.bar_net import score_beats
from core.analysis.rhythm.grid import strength_at
from core.analysis.rhythm.onset import OnsetBands
from core.analysis.rhythm.patterns import Strokes
from core.analysis.rhythm.ranker import load_ranker, softmax
from core.analysis.spectra import BINS_PER_SEMITONE, LOWEST_MIDI, Spectra

TimeSignature = Literal["4/4", "3/4"]

_BAR_LAGS = {3: (3, 6, 9), 4: (4, 8, 16), 5: (5, 10, 15), 7: (7, 14, 21)}
"""Lags in beats for each length of bar; bars of three and of four share no lag."""

_Array = NDArray[np.float64]
_Odds = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DownbeatRules:
    """What counts as evidence of a bar.

    Parameters
    ----------
    spans_beats : beats before and after a beat between which harmony is compared.
    off_beat_bands : indices of `core.analysis.flux.BANDS` whose accents half a beat later are
        evidence: kick, low mids and snare.
    least_bars : bars of four without which no time signature is claimed.
    lead : by how much, as correlation, music must be more like itself after other bars than after
        bars of four.
    least_change : floor of the mean change of harmony, 0 to 1: where it hardly moves, what little
        it does is noise.
    gap_frames : frames of the pitches left out on either side of a beat, which hear both sides.
    low_band : index of the column of evidence that holds accents of kick and bass.
    lone_accent : ratio to the second strongest position from which a low accent decides alone, as a
        metronome's.
    accent_weight : score of such an accent at most, in units of the ranker's.
    compression : magnitudes m of pitches become log(1 + compression * m / peak).
    evidence_weight : weight of the score over this evidence.
    odds_weight : weight of the mean log-odds by the network of bars.

    The two weights were chosen among 11 pairs on made songs that are not trained on and on
    recordings (docs/benchmarks.md). The ranker is trained by bench.train_rhythm on songs made by
    rule, with these features; bench.analysis scores downbeats on recordings. No benchmark of the
    other values is recorded.
    """

    spans_beats: tuple[int, ...] = (1, 2, 4)
    off_beat_bands: tuple[int, ...] = (1, 2, 3)
    least_bars: int = 4
    lead: float = 0.05
    least_change: float = 0.1
    gap_frames: float = 1.0
    low_band: int = 1
    lone_accent: float = 2.0
    accent_weight: float = 8.0
    compression: float = 1000.0
    evidence_weight: float = 1.0
    odds_weight: float = 0.5


RULES = DownbeatRules()


@dataclass(frozen=True, slots=True)
class Downbeats:
    """Downbeats of a recording.

    Parameters
    ----------
    firsts : for each part, the index of its first downbeat; (0,) without beats.
    beats : indices of all downbeats, ascending.
    beats_per_bar : 3 or 4.
    time_signature : None where neither 3/4 nor 4/4 fits: 5/4, 7/8, too few beats.
    confidence : probability of `firsts`, 0 to 1.
    """

    firsts: tuple[int, ...]
    beats: tuple[int, ...]
    beats_per_bar: int
    time_signature: TimeSignature | None
    confidence: float


def find_downbeats(
    spectra: Spectra,
    onsets: OnsetBands,
    strokes: Strokes,
    beats_s: _Array,
    starts: Sequence[int] = (0,),
) -> Downbeats:
    """Find the downbeats among beats (seconds, ascending); without beats the confidence is 0.

    ``starts`` are the indices of beats that begin a part, ascending from 0: bars are counted anew
    after a stop or a cut.
    """
    if len(beats_s) < 2:
        return Downbeats((0,), (), 4, None, 0.0)
    evidence = beat_evidence(spectra, onsets, beats_s)
    odds = score_beats(strokes, beats_s).downbeat
    parts = [slice(*edges) for edges in zip(starts, [*starts[1:], len(beats_s)], strict=True)]
    longest = max(parts, key=lambda part: part.stop - part.start)
    signature = _find_signature(evidence[longest])
    beats_per_bar = 3 if signature == "3/4" else 4
    firsts: list[int] = []
    beats: list[int] = []
    sureness = 0.0
    for part in parts:
        first, chance = _rank_starts(evidence[part], odds[part], beats_per_bar)
        firsts.append(part.start + first)
        beats += range(part.start + first, part.stop, beats_per_bar)
        sureness += chance * (part.stop - part.start) / len(beats_s)
    confidence = sureness if signature else sureness / 2
    return Downbeats(tuple(firsts), tuple(beats), beats_per_bar, signature, confidence)


def _rank_starts(evidence: _Array, odds: _Odds, beats_per_bar: int) -> tuple[int, float]:
    """Return the first downbeat of a part, as index, and its probability."""
    ranker = load_ranker("downbeat")
    if beats_per_bar == 3:
        # Of the weights for four positions, those of the downbeat itself apply to three as well.
        width = evidence.shape[1]
        scores = (
            (bar_features(evidence, 3)[:, :width] - ranker.mean[:width]) / ranker.scale[:width]
        ) @ ranker.weights[:width]
    else:
        scores = ranker.score(bar_features(evidence, 4))
    scores = (scores + _rate_lone_accents(evidence, beats_per_bar))[: len(evidence)]
    heard = [float(odds[start::beats_per_bar].mean()) for start in range(len(scores))]
    scores = RULES.evidence_weight * scores + RULES.odds_weight * np.array(heard)
    first = int(scores.argmax())
    return first, float(softmax(scores)[first])


def beat_evidence(spectra: Spectra, onsets: OnsetBands, beats_s: _Array) -> _Array:
    """Measure each beat: accents, accents half a beat later, harmonic changes, ``(n_beats, 11)``.

    Columns: accents of the five bands, accents of three of them off the beat, and the change of
    pitches from the 1, 2 and 4 beats before to those after. Columns of accents have mean 1, or are
    0 throughout; those of changes have mean 1 or less.
    """
    rate = onsets.frame_rate_hz
    # Distance to the next beat; the last beat repeats the distance before it.
    beat_s = np.diff(beats_s, append=2 * beats_s[-1] - beats_s[-2])
    on = np.rint(beats_s * rate).astype(np.intp)
    off = np.rint((beats_s + beat_s / 2) * rate).astype(np.intp)
    columns = [strength_at(band, on) for band in onsets.strength.astype(np.float64)]
    columns += [
        strength_at(onsets.strength[b].astype(np.float64), off) for b in RULES.off_beat_bands
    ]
    columns += _harmonic_changes(spectra, beats_s, beat_s)
    evidence = np.column_stack(columns)
    means = evidence.mean(axis=0)
    # Where harmony hardly moves, small changes are noise and must not be scaled up.
    means[-len(RULES.spans_beats) :] = np.maximum(
        means[-len(RULES.spans_beats) :], RULES.least_change
    )
    levelled: _Array = evidence / np.where(means > 1e-9, means, 1.0)
    return levelled


def bar_features(evidence: _Array, beats_per_bar: int) -> _Array:
    """Return the mean evidence at each position of the bar, for each possible start.

    Row ``p`` holds the evidence by position if bars begin at beat ``p``:
    ``(beats_per_bar, beats_per_bar * 11)``.
    """
    means = np.stack(
        [
            evidence[position::beats_per_bar].mean(axis=0)
            if len(evidence) > position
            else np.ones(evidence.shape[1])
            for position in range(beats_per_bar)
        ]
    )
    return np.stack([np.roll(means, -start, axis=0).ravel() for start in range(beats_per_bar)])


def _rate_lone_accents(evidence: _Array, beats_per_bar: int) -> _Array:
    """Score a low accent on one position of the bar alone, as of a metronome, by position.

    Songs have several; where one is over twice as strong as the next, harmony is weak evidence.
    """
    low = bar_features(evidence, beats_per_bar)[:, RULES.low_band]
    second = float(np.sort(low)[-2])
    lead = np.log(np.maximum(low, 1e-9) / max(RULES.lone_accent * second, 1e-9))
    scores: _Array = RULES.accent_weight * np.clip(lead, 0, 1)
    return scores


def _harmonic_changes(spectra: Spectra, beats_s: _Array, beat_s: _Array) -> list[_Array]:
    """Return for each beat and span the change of pitches across it, 0 to 1."""
    levels = np.log1p(spectra.pitches * np.float32(RULES.compression / max(spectra.peak, 1e-9)))
    semitones = levels.reshape(len(levels), -1, BINS_PER_SEMITONE).max(axis=2)
    classes = (LOWEST_MIDI + np.arange(semitones.shape[1])) % 12
    chroma = np.stack([semitones[:, classes == c].mean(axis=1) for c in range(12)], axis=1)
    chroma -= chroma.min(axis=1, keepdims=True)
    sums = np.concatenate([np.zeros((1, 12)), np.cumsum(chroma, axis=0, dtype=np.float64)])
    rate = spectra.pitch_rate_hz
    centres = beats_s * rate + 0.5
    changes = []
    for span in RULES.spans_beats:
        reach = np.maximum(span * beat_s * rate, RULES.gap_frames + 0.5)
        # Frames nearer to the beat than the gap cover both sides of it.
        past, future = (
            _sum_until(sums, centres + last) - _sum_until(sums, centres + first)
            for first, last in ((-reach, -RULES.gap_frames), (RULES.gap_frames, reach))
        )
        norms = np.linalg.norm(past, axis=1) * np.linalg.norm(future, axis=1)
        likeness = np.sum(past * future, axis=1) / np.maximum(norms, 1e-12)
        # Beats at the ends of the recording have only one side.
        changes.append(np.where(norms > 1e-9, 1 - likeness, 0.0))
    return changes


def _sum_until(sums: _Array, positions: _Array) -> _Array:
    positions = np.clip(positions, 0, len(sums) - 1)
    lower = np.minimum(positions.astype(np.intp), len(sums) - 2)
    part = (positions - lower)[:, None]
    values: _Array = sums[lower] * (1 - part) + sums[lower + 1] * part
    return values


def _find_signature(evidence: _Array) -> TimeSignature | None:
    """Choose the length of bar at whose multiples the music resembles itself most."""
    if len(evidence) < RULES.least_bars * 4:
        return None
    centred = evidence - evidence.mean(axis=0)
    centred /= np.maximum(evidence.std(axis=0), 1e-9)
    likeness = {
        n: float(
            np.mean([(centred[:-lag] * centred[lag:]).mean() for lag in lags if lag < len(centred)])
        )
        for n, lags in _BAR_LAGS.items()
    }
    best = max(likeness, key=lambda n: (likeness[n], n == 4))
    if likeness[best] <= likeness[4] + RULES.lead:
        return "4/4"
    return "3/4" if best == 3 else None
