"""Key of a recording, as a whole and over time.

Windows of 12 s are compared with the profiles of the 24 keys
(`core.analysis.harmony.key_profiles`). The windows vote, weighted by their certainty; a Viterbi
path through them gives the key over time.

Music with a steady harmony is mostly made of loops; it is compared with the profiles of electronic
music, where minor is the more common mode. Music that moves through chords and keys is compared
with those of tonal music, too.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from core.analysis.harmony.camelot import key_of, key_to_camelot, key_to_open_key, key_to_short
from core.analysis.harmony.chroma import Chroma
from core.analysis.harmony.key_profiles import expected_chroma
from core.analysis.spectra import PITCH_HOP_S
from core.analysis.viterbi import likeliest_path

N_ALTERNATIVES = 3
"""Alternatives that an estimate names at most."""
MAX_SPANS = 256
"""Maximum length of the chroma over time: spans grow with the recording."""

_MODES: tuple[Literal["major", "minor"], ...] = ("major", "minor")
_Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KeyRule:
    """How chroma is judged.

    Parameters
    ----------
    gate : pitch classes below this share of a window's strongest one count as silent.
    doubt : how sharply a window votes: factor of the correlations before a softmax.
    moving, steady : mean agreement of the windows with their sum, as correlation, up to which the
        harmony counts as moving, and from which it counts as steady.
    minor_lead : lead of minor keys in steady music, as correlation.
    calibration : factor of the logarithm of the votes that makes the confidence the share of
        right keys; fitted by likelihood on recordings (docs/analysis.md).
    window_frames, step_frames : length and distance of the windows, in frames of `PITCH_HOP_S`:
        12 s and 3 s.
    smoothed_frames : length of the running median over time, in frames.
    change : cost of a change of key over time, as logarithm of a probability.
    sure_s : seconds of audible pitch from which the confidence is not reduced; a switch-on click
        and the edges of an offset last for less.
    heard : chroma of a frame's strongest pitch class from which it is audible; clicks stay below,
        faint music reaches 1.
    flat, flat_second : spread of the pitch classes of noise, over their mean: of long noise, and
        of one second.
    clear : by how much the spread of clear music exceeds that; it is 0.43 or more over a minute.
    neighbours : weight with which neighbouring semitones count as one pitch class, as a deep tone
        sounds in three.

    `bench.key_validation` chose `gate`, `doubt`, `moving`, `steady` and `minor_lead` by
    cross-validation over groups. No benchmark of the others but `calibration` is recorded; tests
    of noise, clicks and single tones (tests/unit/analysis/harmony/test_key.py) hold `sure_s` to
    `neighbours`.
    """

    gate: float = 0.1
    doubt: float = 5.0
    moving: float = 0.98
    steady: float = 0.995
    minor_lead: float = 0.04
    calibration: float = 2.5
    window_frames: int = 64
    step_frames: int = 16
    smoothed_frames: int = 5
    change: float = -3.0
    sure_s: float = 2.0
    heard: float = 0.3
    flat: float = 0.15
    flat_second: float = 0.5
    clear: float = 0.25
    neighbours: float = 0.8


RULE = KeyRule()


@dataclass(frozen=True, slots=True)
class KeyCandidate:
    """Alternative key; ``score`` is on the scale of the estimate's ``confidence``."""

    key: str
    camelot: str
    score: float


@dataclass(frozen=True, slots=True)
class KeySegment:
    """Part of a recording in one key; ``confidence`` 0 to 1."""

    start_s: float
    end_s: float
    key: str
    camelot: str
    confidence: float


@dataclass(frozen=True, slots=True)
class KeyEstimate:
    """Key of a recording, in every notation.

    Parameters
    ----------
    key, camelot, open_key, key_short : ``A minor``, ``8A``, ``1m``, ``Am``; None for silence
        and without audible pitch.
    confidence : 0 to 1, the share of right keys among keys of this certainty.
    alternatives : the next most probable keys, most probable first.
    tuning_cents : above equal temperament on A = 440 Hz, −50 to 50; keys mix within ±10 cents.
    segments : the key over time, without gaps, from 0 s to the end.
    chroma : strength of the pitch classes C … B over time, 0 to 100, one for each
        ``chroma_hop_s`` seconds; at most `MAX_SPANS`.
    """

    key: str | None = None
    camelot: str | None = None
    open_key: str | None = None
    key_short: str | None = None
    confidence: float = 0.0
    alternatives: tuple[KeyCandidate, ...] = field(default=())
    tuning_cents: float = 0.0
    segments: tuple[KeySegment, ...] = field(default=())
    chroma: tuple[tuple[int, ...], ...] = field(default=())
    chroma_hop_s: float = 1.0


def estimate_key(chroma: Chroma, *, rule: KeyRule = RULE) -> KeyEstimate:
    """Estimate the key.

    Parameters
    ----------
    chroma : of the mixture, or of its pitched stems.
    rule : settings.

    Returns
    -------
    The estimate; an empty one for silence, noise and recordings without pitch from E1 to C6.
    """
    windows = [_average_windows(frames, rule) for frames in (chroma.full, chroma.peaks)]
    heard = windows[0].sum(axis=1)
    if not heard.any():
        return KeyEstimate()
    heard_s = np.count_nonzero(chroma.full.max(axis=1) > rule.heard) * PITCH_HOP_S
    clarity = _clarity(windows[0].sum(axis=0), heard_s, rule)
    if not clarity:
        return KeyEstimate()
    steadiness = _steadiness(windows[0][heard > 0], rule)
    expected = expected_chroma(steadiness)
    fits = np.mean([_fit(_gate(version, rule.gate), expected) for version in windows], axis=0)
    fits[:, 12:] += rule.minor_lead * steadiness
    votes = np.average(_soft_max(rule.doubt * fits), axis=0, weights=heard)
    probabilities = clarity * _soft_max(rule.calibration * np.log(votes))
    ranking = np.argsort(-probabilities, kind="stable")
    candidates = [_name(int(index), float(probabilities[index])) for index in ranking]
    best = candidates[0]
    hop_s, spans = _average_spans(chroma, rule)
    return KeyEstimate(
        key=best.key,
        camelot=best.camelot,
        open_key=key_to_open_key(best.key),
        key_short=key_to_short(best.key),
        confidence=best.score,
        alternatives=tuple(candidates[1 : 1 + N_ALTERNATIVES]),
        tuning_cents=chroma.tuning_cents,
        segments=_segment(
            rule.doubt * rule.calibration * fits, clarity, heard > 0, chroma.duration_s, rule
        ),
        chroma=spans,
        chroma_hop_s=hop_s,
    )


def _average_spans(chroma: Chroma, rule: KeyRule) -> tuple[float, tuple[tuple[int, ...], ...]]:
    """Return the length of a span in seconds, and the mean chroma of each, its peak at 100."""
    n_frames = len(chroma.full)
    hop_s = float(max(1, math.ceil(chroma.duration_s / MAX_SPANS)))
    n_spans = max(1, math.ceil(chroma.duration_s / hop_s))
    edges = np.arange(n_spans) * hop_s / max(chroma.duration_s, hop_s) * n_frames
    starts = np.minimum(edges.astype(np.intp), n_frames - 1)
    counts = np.diff(np.append(starts, n_frames))
    means = np.add.reduceat(chroma.full, starts, axis=0) / counts[:, None]
    largest = means.max(axis=1, keepdims=True)
    shares = np.where(largest > rule.heard, means / np.maximum(largest, 1e-12), 0)
    return hop_s, tuple(map(tuple, np.rint(100 * shares).astype(int).tolist()))


def _average_windows(frames: NDArray[np.float32], rule: KeyRule) -> _Matrix:
    """Average chroma over overlapping windows, ``(n_windows, 12)``, at least one.

    All frames have about the same weight regardless of level, except nearly empty ones.
    """
    smooth = median_filter(frames, size=(rule.smoothed_frames, 1), mode="nearest").astype(
        np.float64
    )
    largest = smooth.max(axis=1, keepdims=True)
    levelled = smooth / (largest + 0.1 * largest.max() + 1e-12)
    sums = np.concatenate([np.zeros((1, 12)), np.cumsum(levelled, axis=0)])
    starts = _window_starts(len(frames), rule)
    stops = np.minimum(starts + rule.window_frames, len(frames))
    means: _Matrix = (sums[stops] - sums[starts]) / (stops - starts)[:, None]
    return means


def _window_starts(n_frames: int, rule: KeyRule) -> NDArray[np.intp]:
    return np.arange(0, max(1, n_frames - rule.window_frames + rule.step_frames), rule.step_frames)


def _steadiness(windows: _Matrix, rule: KeyRule) -> float:
    """Return the steadiness of the harmony, 0 to 1, from the audible windows."""
    centred = windows - windows.mean(axis=1, keepdims=True)
    whole = centred.sum(axis=0)
    norms = np.linalg.norm(centred, axis=1) * np.linalg.norm(whole)
    agreement = float((centred @ whole / np.maximum(norms, 1e-12)).mean())
    return float(np.clip((agreement - rule.moving) / (rule.steady - rule.moving), 0, 1))


def _gate(chroma: _Matrix, gate: float) -> _Matrix:
    """Zero the pitch classes that are weak throughout a window: noise and overtones."""
    return np.where(chroma < gate * chroma.max(axis=1, keepdims=True), 0.0, chroma)


def _fit(chroma: _Matrix, expected: _Matrix) -> _Matrix:
    """Correlate windows with the keys, ``(n_windows, 24)``: C major … B, C minor … B."""
    centred = chroma - chroma.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    fits: _Matrix = centred / np.maximum(norm, 1e-12) @ expected.T
    return fits


def _soft_max(scores: _Matrix) -> _Matrix:
    likelihoods = np.exp(scores - scores.max(axis=-1, keepdims=True))
    probabilities: _Matrix = likelihoods / likelihoods.sum(axis=-1, keepdims=True)
    return probabilities


def _clarity(chroma: _Matrix, heard_s: float, rule: KeyRule) -> float:
    """Return how clearly there is harmony at all, 0 to 1, since some key always fits best.

    Noise has an even chroma, the more so the longer it lasts; a single tone has one pitch class, or
    one and its neighbours.
    """
    flat = np.hypot(rule.flat, rule.flat_second / np.sqrt(max(heard_s, PITCH_HOP_S)))
    spread = chroma.std() / chroma.mean()
    neighbours = np.roll(chroma, 1) + np.roll(chroma, -1)
    n_classes = chroma.sum() ** 2 / (chroma @ (chroma + rule.neighbours * neighbours))
    is_heard = min(1.0, heard_s / rule.sure_s)
    return float(
        is_heard * np.clip((spread - flat) / rule.clear, 0, 1) * np.clip((n_classes - 1) / 2, 0, 1)
    )


def _segment(
    scores: _Matrix,
    clarity: float,
    is_heard: NDArray[np.bool_],
    duration_s: float,
    rule: KeyRule,
) -> tuple[KeySegment, ...]:
    """Return the parts in one key; silent windows keep the key before them."""
    scores = np.where(is_heard[:, None], scores, 0.0)
    change = np.where(np.eye(24, dtype=bool), 0.0, rule.change)
    probabilities = _soft_max(scores)
    path = likeliest_path(np.log(probabilities), change)
    borders = [0, *(np.flatnonzero(np.diff(path)) + 1), len(path)]
    # A window stands for its middle; the first and the last also for the ends.
    half_s = (rule.window_frames - rule.step_frames) / 2 * PITCH_HOP_S
    segments = []
    for first, last in pairwise(borders):
        index = int(path[first])
        confidence = clarity * float(probabilities[first:last, index].mean())
        named = _name(index, confidence)
        segments.append(
            KeySegment(
                start_s=first * rule.step_frames * PITCH_HOP_S + half_s if first else 0.0,
                end_s=(
                    last * rule.step_frames * PITCH_HOP_S + half_s
                    if last < len(path)
                    else duration_s
                ),
                key=named.key,
                camelot=named.camelot,
                confidence=confidence,
            )
        )
    return tuple(segments)


def _name(index: int, score: float) -> KeyCandidate:
    key = key_of(index % 12, _MODES[index // 12])
    return KeyCandidate(key, key_to_camelot(key), score)
