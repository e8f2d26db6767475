"""Chords of a recording, beat by beat.

Two judges hear the pitches between two beats: the harmony network
(`core.analysis.harmony.network`), and templates of triads with the overtones of their notes, which
also tell whether there is a chord at all. A Viterbi path keeps a triad until another fits clearly
better. Over the whole of its time, the network then decides on a seventh.

Conventions: chords are written ``C``, ``Am``, ``Bdim``, ``G7``, ``Cmaj7``, ``Am7``, ``Bm7b5``;
``N`` stands for no chord (Harte). Inversions are named by their root alone.

References: Fujishima, "Realtime chord recognition of musical sound", ICMC 1999 (templates);
Papadopoulos & Peeters, "Large-scale study of chord estimation algorithms based on chroma
representation and HMM", CBMI 2007 (overtones, hidden Markov model); Harte et al., "Symbolic
representation of musical chords", ISMIR 2005.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.special import expit

from core.analysis.harmony.camelot import key_of, key_to_short
from core.analysis.harmony.chroma import Chroma
from core.analysis.harmony.network import CHORD_QUALITIES
from core.analysis.spectra import PITCH_HOP_S
from core.analysis.viterbi import likeliest_path

NO_CHORD = "N"

# Semitones above the root of each triad: major, minor, diminished.
_TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6))
_N_CHORDS = 12 * len(_TRIADS)
# What the network's qualities count as, as shares of the triads; a bare fifth may be either.
_SHARES = {
    "": (1, 0, 0),
    "7": (1, 0, 0),
    "maj7": (1, 0, 0),
    "sus4": (1, 0, 0),
    "5": (0.5, 0.5, 0),
    "m": (0, 1, 0),
    "m7": (0, 1, 0),
    "dim": (0, 0, 1),
    "m7b5": (0, 0, 1),
}
# Names of each triad: bare, and with the sevenths that it may have.
_NAMES = (("", "7", "maj7"), ("m", "m7"), ("dim", "m7b5"))

_Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChordRules:
    """How well a chord fits, and how long it is kept.

    Parameters
    ----------
    overtones : pitch classes of a note's partials 1 to 5, in semitones above its own.
    overtone_decay : amplitude of each partial relative to the one before (Papadopoulos & Peeters).
    bass_share : weight of the bass on a chord's root, relative to a correlation of 1.
    least_sure : fit of the best template plus the network's probability of its best triad, below
        which, as a mean over some steps, there is no chord; one step has none below half of it.
        Noise reaches 0.8, single tones 0.82, chords mostly 1.4 or more.
    flattest : standard deviation of a chord's chroma over its mean; flatter chroma, as that of
        noise, fits less.
    faintest : share of the recording's largest chroma below which a step is nearly silent.
    steps_around : steps of that mean.
    sharpness : factor of the fits before the softmax.
    network, templates : factors of the logarithms of both judges' probabilities.
    change : cost of a change of chord, as logarithm of a probability.
    step_s : seconds from one possible change to the next where there are no beats.
    least_step_s : shortest such step where beats are extended to the ends of the recording.

    Pieces made by rule check the values (docs/benchmarks.md); there were no recordings with known
    chords.
    """

    overtones: tuple[int, ...] = (0, 0, 7, 0, 4)
    overtone_decay: float = 0.6
    bass_share: float = 0.3
    least_sure: float = 0.9
    steps_around: int = 9
    flattest: float = 0.7
    faintest: float = 0.05
    sharpness: float = 20.0
    network: float = 1.0
    templates: float = 0.1
    change: float = -2.0
    step_s: float = 0.5
    least_step_s: float = 0.1


RULES = ChordRules()


@dataclass(frozen=True, slots=True)
class ChordSegment:
    """Part under one chord: ``C``, ``Am7``, ``G7``, … or ``N``; ``confidence`` 0 to 1."""

    start_s: float
    end_s: float
    chord: str
    confidence: float


def estimate_chords(chroma: Chroma, beats_s: Sequence[float]) -> tuple[ChordSegment, ...]:
    """Estimate the chords.

    Parameters
    ----------
    chroma : of the stems that play chords, summed, or else of the mixture.
    beats_s : beats in seconds, ascending; chords change on them. Without beats, chords may change
        every half second.

    Returns
    -------
    Segments without gaps from 0 s to the end; neighbours differ. Silence is one ``N``; no samples
    give ().
    """
    borders = _borders(np.asarray(beats_s, dtype=np.float64), chroma.duration_s)
    if len(borders) < 2:
        return ()
    heard = _average(chroma.harmony.chords, borders)
    fits = _fit(_average(chroma.full, borders), _average(chroma.bass, borders))
    probabilities = _judge(heard, fits)
    path = likeliest_path(np.log(probabilities + 1e-12), _change_costs())
    changes = [0, *(np.flatnonzero(np.diff(path)) + 1), len(path)]
    return tuple(
        ChordSegment(
            start_s=float(borders[first]),
            end_s=float(borders[last]),
            chord=_name(int(path[first]), heard[first:last]),
            confidence=float(probabilities[first:last, path[first]].mean()),
        )
        for first, last in pairwise(changes)
    )


def _judge(heard: _Matrix, fits: _Matrix) -> _Matrix:
    """Return the probabilities of the triads and of no chord, ``(n_steps, 37)``.

    There is no chord in silence, and where for some steps neither judge is sure: of noise and of
    single tones the network holds every chord unlikely.
    """
    likelihoods = np.exp(RULES.sharpness * (fits - fits.max(axis=1, keepdims=True)))
    by_templates = likelihoods / likelihoods.sum(axis=1, keepdims=True)
    qualities = np.exp(heard[:, :-1]).reshape(len(heard), len(CHORD_QUALITIES), 12)
    shares = np.array([_SHARES[quality] for quality in CHORD_QUALITIES])
    by_network = np.einsum("nqr,qt->ntr", qualities, shares).reshape(len(heard), _N_CHORDS)
    scores = RULES.network * np.log(by_network + 1e-9)
    scores += RULES.templates * np.log(by_templates + 1e-9)
    both = np.exp(scores - scores.max(axis=1, keepdims=True))
    sureness = fits.max(axis=1) + by_network.max(axis=1)
    around = uniform_filter1d(sureness, RULES.steps_around, mode="nearest")
    sureness = np.where(sureness < RULES.least_sure / 2, sureness, around)
    no_chord = expit(RULES.sharpness * (RULES.least_sure - sureness))[:, None]
    both *= (1 - no_chord) / both.sum(axis=1, keepdims=True)
    return np.concatenate([both, no_chord], axis=1)


def _borders(beats_s: _Matrix, duration_s: float) -> _Matrix:
    """Extend the beats to 0 s and to the end, ``(n_steps + 1,)``."""
    if duration_s <= 0:
        return np.zeros(0)
    inside = beats_s[(beats_s > 0) & (beats_s < duration_s)]
    step_s = (
        max(float(np.median(np.diff(inside))), RULES.least_step_s)
        if len(inside) > 1
        else RULES.step_s
    )
    first = inside[0] if len(inside) else 0.0
    last = inside[-1] if len(inside) else 0.0
    before = np.arange(first, 0, -step_s)[:0:-1]
    after = np.arange(last, duration_s, step_s)[1:]
    borders = np.concatenate([[0.0], before, inside, after, [duration_s]])
    is_apart = np.diff(borders, prepend=-np.inf) > 1e-6
    return borders[is_apart]


def _average(frames: NDArray[np.float32], borders: _Matrix) -> _Matrix:
    """Average frames between borders, ``(n_steps, n)``; a frame lasts half a hop either way.

    Only the middle half of each step counts: frames are long, and near a border the attack of the
    next chord exceeds the end of this one.
    """
    sums = np.pad(np.cumsum(frames, axis=0, dtype=np.float64), ((1, 0), (0, 0)))
    quarter = np.diff(borders) / 4
    at_edges, positions = [], []
    for edges_s in (borders[:-1] + quarter, borders[1:] - quarter):
        position = np.clip(edges_s / PITCH_HOP_S + 0.5, 0, len(frames))
        whole = np.minimum(position.astype(np.intp), len(frames) - 1)
        at_edges.append(sums[whole] + (position - whole)[:, None] * frames[whole])
        positions.append(position)
    means: _Matrix = (at_edges[1] - at_edges[0]) / (positions[1] - positions[0])[:, None].clip(1e-9)
    return means


def _fit(chroma: _Matrix, bass: _Matrix) -> _Matrix:
    """Return the fit of each triad at each step, ``(n_steps, 36)``."""
    means = chroma.mean(axis=1, keepdims=True)
    centred = chroma - means
    # Nearly flat chroma, as of noise, and near silence must not be scaled up to a chord.
    floor = np.maximum(RULES.flattest * np.sqrt(12) * means, RULES.faintest * chroma.max() + 1e-9)
    fits = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), floor)
    roots = bass / np.maximum(bass.max(axis=1, keepdims=True), RULES.faintest * chroma.max() + 1e-9)
    scores: _Matrix = fits @ _templates().T + RULES.bass_share * np.tile(roots, (1, len(_TRIADS)))
    return scores


@cache
def _templates() -> _Matrix:
    """Return the expected chroma of each triad, of mean 0 and norm 1, ``(36, 12)``."""
    templates = np.zeros((_N_CHORDS, 12))
    for number, intervals in enumerate(_TRIADS):
        for root in range(12):
            for interval in intervals:
                for partial, overtone in enumerate(RULES.overtones):
                    pitch_class = (root + interval + overtone) % 12
                    templates[12 * number + root, pitch_class] += RULES.overtone_decay**partial
    templates -= templates.mean(axis=1, keepdims=True)
    normalised: _Matrix = templates / np.linalg.norm(templates, axis=1, keepdims=True)
    return normalised


def _change_costs() -> _Matrix:
    return np.where(np.eye(_N_CHORDS + 1, dtype=bool), 0.0, RULES.change)


def _name(index: int, heard: _Matrix) -> str:
    """Name a triad, with the seventh that its steps hold."""
    if index == _N_CHORDS:
        return NO_CHORD
    triad, root = divmod(index, 12)
    qualities = _NAMES[triad]
    scores = [heard[:, 12 * CHORD_QUALITIES.index(name) + root].mean() for name in qualities]
    return key_to_short(key_of(root, "major")) + qualities[int(np.argmax(scores))]
