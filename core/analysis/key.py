"""Which key a recording is in, as DJs name it: over its whole length and over time.

Windows of 12 s are compared with what each of the 24 keys leads one to expect, by five published
profiles: three made for electronic dance music, two for tonal music at large; they err on
different songs. The windows vote, each with its doubts; a Viterbi path through the same windows
gives the key over time.

References: Faraldo, Gómez, Jordà & Herrera, "Key estimation in electronic dance music", ECIR 2016
(edma); Faraldo, Jordà & Herrera, "A multi-profile method for key estimation in EDM", AES 2017
(bgate); Sha'ath, "Estimation of key in digital music recordings", MSc thesis, Birkbeck 2011
(shaath); Gómez, "Tonal description of polyphonic audio for music content processing", INFORMS
Journal on Computing 18 (2006) (gomez); Temperley, "What's key for key?", Music Perception 17
(1999) (temperley).
"""

from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from core.analysis.camelot import key_of, key_to_camelot, key_to_open_key, key_to_short
from core.analysis.chroma import Chroma
from core.analysis.spectra import PITCH_HOP_S
from core.analysis.viterbi import likeliest_path

N_ALTERNATIVES = 3

# Expected strength of the twelve pitch classes above the tonic, major then minor.
_PROFILES = {
    "edma": (
        (1.00, 0.29, 0.50, 0.40, 0.60, 0.56, 0.32, 0.80, 0.31, 0.45, 0.42, 0.39),
        (1.00, 0.31, 0.44, 0.58, 0.33, 0.49, 0.29, 0.78, 0.43, 0.29, 0.53, 0.32),
    ),
    "bgate": (
        (1.00, 0.00, 0.42, 0.00, 0.53, 0.37, 0.00, 0.77, 0.00, 0.38, 0.21, 0.30),
        (1.00, 0.00, 0.36, 0.39, 0.00, 0.38, 0.00, 0.74, 0.27, 0.00, 0.42, 0.23),
    ),
    "shaath": (
        (6.6, 2.0, 3.5, 2.3, 4.6, 4.0, 2.5, 5.2, 2.4, 3.7, 2.3, 3.4),
        (6.5, 2.7, 3.5, 5.4, 2.6, 3.5, 2.5, 5.2, 4.0, 2.7, 4.3, 3.2),
    ),
    "gomez": (
        (0.82, 0.00, 0.55, 0.00, 0.53, 0.30, 0.08, 1.00, 0.00, 0.38, 0.00, 0.47),
        (0.81, 0.00, 0.53, 0.54, 0.00, 0.27, 0.07, 1.00, 0.27, 0.07, 0.10, 0.36),
    ),
    "temperley": (
        (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400),
        (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330),
    ),
}
_MODES: tuple[Literal["major", "minor"], ...] = ("major", "minor")
_WINDOW_FRAMES = 64  # 12 s
_STEP_FRAMES = 16  # 3 s
_SMOOTHED_FRAMES = 5
_GATE = 0.2
_DOUBT = 5.0  # how sharply a window votes
_CALIBRATION = 2.5  # makes the confidence the share of right keys; fitted by likelihood
_CHANGE = -3.0  # what a change of key costs, as logarithm of a probability
_CLEARLY_MORE = 0.2  # by how much stems must be surer than the mixture to overrule it

_Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KeyCandidate:
    """Another key that it could be; ``score`` compares with the estimate's ``confidence``."""

    key: str
    camelot: str
    score: float


@dataclass(frozen=True, slots=True)
class KeySegment:
    """A stretch of a recording in one key; ``confidence`` 0 to 1."""

    start_s: float
    end_s: float
    key: str
    camelot: str
    confidence: float


@dataclass(frozen=True, slots=True)
class KeyEstimate:
    """The key of a recording, in every notation.

    Parameters
    ----------
    key, camelot, open_key, key_short : ``A minor``, ``8A``, ``1m``, ``Am``; None where there is no
        key: silence, or no pitch at all.
    confidence : 0 to 1; how often a key found this clearly is right.
    alternatives : the next best keys, best first.
    tuning_cents : above equal temperament on A = 440 Hz, −50 to 50; keys mix within ±10 cents.
    segments : the key over time, without gaps, from 0 s to the end.
    is_contested : whether the stems named another key, see `arbitrate_key`.
    """

    key: str | None = None
    camelot: str | None = None
    open_key: str | None = None
    key_short: str | None = None
    confidence: float = 0.0
    alternatives: tuple[KeyCandidate, ...] = field(default=())
    tuning_cents: float = 0.0
    segments: tuple[KeySegment, ...] = field(default=())
    is_contested: bool = False


def estimate_key(chroma: Chroma) -> KeyEstimate:
    """Estimate the key.

    Parameters
    ----------
    chroma : of the mixture, or of what is played on pitches in it.

    Returns
    -------
    The estimate; the empty one for silence and for what has no pitch between E1 and C6.
    """
    windows = [_average_windows(frames) for frames in (chroma.full, chroma.peaks)]
    heard = windows[0].sum(axis=1)
    if not heard.any():
        return KeyEstimate()
    fits = np.mean([_fit(_gate(version)) for version in windows], axis=0)
    votes = np.average(_soft_max(_DOUBT * fits), axis=0, weights=heard)
    clarity = _clarity(windows[0].sum(axis=0))
    probabilities = clarity * _soft_max(_CALIBRATION * np.log(votes))
    ranking = np.argsort(-probabilities, kind="stable")
    candidates = [_name(int(index), float(probabilities[index])) for index in ranking]
    best = candidates[0]
    return KeyEstimate(
        key=best.key,
        camelot=best.camelot,
        open_key=key_to_open_key(best.key),
        key_short=key_to_short(best.key),
        confidence=best.score,
        alternatives=tuple(candidates[1 : 1 + N_ALTERNATIVES]),
        tuning_cents=chroma.tuning_cents,
        segments=_segment(fits, clarity, heard > 0, chroma.duration_s),
    )


def arbitrate_key(mixture: KeyEstimate, stems: KeyEstimate | None) -> KeyEstimate:
    """Let what the stems say decide where the mixture is unsure.

    Parameters
    ----------
    mixture : the estimate from the mixture.
    stems : the one from the sum of the stems that play on pitches (bass and other, without drums
        and vocals); None where there are none.

    Returns
    -------
    The stems' estimate where they name one of the mixture's candidates, and are clearly surer;
    else the mixture's. ``is_contested`` where the two differ.
    """
    if stems is None or stems.key is None or stems.key == mixture.key:
        return mixture
    is_candidate = mixture.key is None or stems.key in [c.key for c in mixture.alternatives]
    if is_candidate and stems.confidence > mixture.confidence + _CLEARLY_MORE:
        return replace(stems, is_contested=mixture.key is not None)
    return replace(mixture, is_contested=True)


def _average_windows(frames: NDArray[np.float32]) -> _Matrix:
    """Average chroma over overlapping windows, ``(n_windows, 12)``; one at least.

    A soft gate lets all frames count alike, however loud, but for the nearly empty ones.
    """
    smooth = median_filter(frames, size=(_SMOOTHED_FRAMES, 1), mode="nearest").astype(np.float64)
    largest = smooth.max(axis=1, keepdims=True)
    levelled = smooth / (largest + 0.1 * largest.max() + 1e-12)
    sums = np.concatenate([np.zeros((1, 12)), np.cumsum(levelled, axis=0)])
    starts = _window_starts(len(frames))
    stops = np.minimum(starts + _WINDOW_FRAMES, len(frames))
    means: _Matrix = (sums[stops] - sums[starts]) / (stops - starts)[:, None]
    return means


def _window_starts(n_frames: int) -> NDArray[np.intp]:
    return np.arange(0, max(1, n_frames - _WINDOW_FRAMES + _STEP_FRAMES), _STEP_FRAMES)


def _gate(chroma: _Matrix) -> _Matrix:
    """Drop pitch classes that are weak throughout a window: noise and overtones."""
    return np.where(chroma < _GATE * chroma.max(axis=1, keepdims=True), 0.0, chroma)


def _fit(chroma: _Matrix) -> _Matrix:
    """Correlate windows with the keys, ``(n_windows, 24)``: C major … B, C minor … B."""
    centred = chroma - chroma.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    fits: _Matrix = centred / np.maximum(norm, 1e-12) @ _expectations().T
    return fits


@cache
def _expectations() -> _Matrix:
    """Give the mean of all profiles, each of mean 0 and norm 1, ``(24, 12)``."""
    total = np.zeros((24, 12))
    for profiles in _PROFILES.values():
        rotated = np.array([np.roll(profile, tonic) for profile in profiles for tonic in range(12)])
        rotated -= rotated.mean(axis=1, keepdims=True)
        total += rotated / np.linalg.norm(rotated, axis=1, keepdims=True)
    return total / len(_PROFILES)


def _soft_max(scores: _Matrix) -> _Matrix:
    likelihoods = np.exp(scores - scores.max(axis=-1, keepdims=True))
    probabilities: _Matrix = likelihoods / likelihoods.sum(axis=-1, keepdims=True)
    return probabilities


def _clarity(chroma: _Matrix) -> float:
    """Tell whether there is harmony to judge by, 0 to 1.

    Noise sounds on all pitch classes alike, a single tone on one alone; some key always fits best.
    """
    spread = chroma.std() / chroma.mean()  # 0.1 for noise, from 0.3 up for music
    n_classes = chroma.sum() ** 2 / np.square(chroma).sum()
    return float(np.clip((spread - 0.1) / 0.2, 0, 1) * np.clip((n_classes - 1) / 2, 0, 1))


def _segment(
    fits: _Matrix, clarity: float, is_heard: NDArray[np.bool_], duration_s: float
) -> tuple[KeySegment, ...]:
    """Give the stretches of one key; silent windows go with what is before them."""
    fits = np.where(is_heard[:, None], fits, 0.0)
    change = np.where(np.eye(24, dtype=bool), 0.0, _CHANGE)
    probabilities = _soft_max(_DOUBT * _CALIBRATION * fits)
    path = likeliest_path(np.log(probabilities), change)
    borders = [0, *(np.flatnonzero(np.diff(path)) + 1), len(path)]
    # A window speaks for its middle; the first and the last also for the ends.
    half_s = (_WINDOW_FRAMES - _STEP_FRAMES) / 2 * PITCH_HOP_S
    segments = []
    for first, last in pairwise(borders):
        index = int(path[first])
        confidence = clarity * float(probabilities[first:last, index].mean())
        named = _name(index, confidence)
        segments.append(
            KeySegment(
                start_s=first * _STEP_FRAMES * PITCH_HOP_S + half_s if first else 0.0,
                end_s=(
                    last * _STEP_FRAMES * PITCH_HOP_S + half_s if last < len(path) else duration_s
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
