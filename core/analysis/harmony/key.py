"""Key of a recording, as a whole and over time.

Two judges decide together: a network that was trained on music made by rule
(`core.analysis.harmony.network`), and published profiles (`core.analysis.harmony.key_windows`),
whose windows vote, weighted by their certainty. A Viterbi path through the windows gives the key
over time.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.analysis.harmony.camelot import key_of, key_to_camelot, key_to_open_key, key_to_short
from core.analysis.harmony.chroma import Chroma
from core.analysis.harmony.key_windows import RULE, KeyRule, fit_windows, window_starts
from core.analysis.spectra import PITCH_HOP_S
from core.analysis.viterbi import likeliest_path

N_ALTERNATIVES = 3
"""Alternatives that an estimate names at most."""
MAX_SPANS = 256
"""Maximum length of the chroma over time: spans grow with the recording."""

_MODES: tuple[Literal["major", "minor"], ...] = ("major", "minor")
_Matrix = NDArray[np.float64]


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
    windows, fits = fit_windows(chroma, rule)
    heard = windows.sum(axis=1)
    if not heard.any():
        return KeyEstimate()
    heard_s = np.count_nonzero(chroma.full.max(axis=1) > rule.heard) * PITCH_HOP_S
    clarity = _clarity(windows.sum(axis=0), heard_s, rule)
    if not clarity:
        return KeyEstimate()
    votes = np.average(_soft_max(rule.doubt * fits), axis=0, weights=heard)
    by_network = chroma.harmony.key(0, len(chroma.full))
    probabilities = clarity * _soft_max(rule.network * by_network + rule.profiles * np.log(votes))
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
            rule.network * _hear_windows(chroma, rule) + rule.profiles * rule.doubt * fits,
            clarity,
            heard > 0,
            chroma.duration_s,
            rule,
        ),
        chroma=spans,
        chroma_hop_s=hop_s,
    )


def _hear_windows(chroma: Chroma, rule: KeyRule) -> _Matrix:
    """Return the network's log-probabilities of the keys of each window, ``(n_windows, 24)``."""
    n_frames = len(chroma.full)
    starts = window_starts(n_frames, rule)
    ends = np.minimum(starts + rule.window_frames, n_frames)
    return np.array([chroma.harmony.key(*span) for span in zip(starts, ends, strict=True)])


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
