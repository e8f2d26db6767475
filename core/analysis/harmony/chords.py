"""Chords of a recording, beat by beat.

The chroma between two beats is compared with templates of chords and the overtones of their notes;
a Viterbi path keeps a chord until another fits clearly better.

Conventions: chords are written ``C``, ``Am``, ``G7``; ``N`` stands for no chord (Harte).

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

from core.analysis.harmony.camelot import key_of, key_to_short
from core.analysis.harmony.chroma import Chroma
from core.analysis.spectra import PITCH_HOP_S
from core.analysis.viterbi import likeliest_path

NO_CHORD = "N"

# Semitones above the root.
_QUALITIES = {"": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10)}
_N_CHORDS = 12 * len(_QUALITIES)

_Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChordRules:
    """How well a chord fits, and how long it is kept.

    Parameters
    ----------
    overtones : pitch classes of a note's partials 1 to 5, in semitones above its own.
    overtone_decay : amplitude of each partial relative to the one before (Papadopoulos & Peeters).
    bass_share : weight of the bass on a chord's root, relative to a correlation of 1.
    no_chord_fit : fit that a chord must exceed to be preferred to ``N``.
    flattest : standard deviation of a chord's chroma over its mean; flatter chroma, as that of
        noise, fits less.
    faintest : share of the recording's largest chroma below which a step is nearly silent.
    sharpness : factor of the fits before the softmax.
    change : cost of a change of chord, as logarithm of a probability.
    step_s : seconds from one possible change to the next where there are no beats.
    least_step_s : shortest such step where beats are extended to the ends of the recording.

    Random chords of synthesised harmonics check the values (docs/analysis.md gives the shares of
    right beats and roots); there were no recordings with known chords.
    """

    overtones: tuple[int, ...] = (0, 0, 7, 0, 4)
    overtone_decay: float = 0.6
    bass_share: float = 0.3
    no_chord_fit: float = 0.7
    flattest: float = 0.7
    faintest: float = 0.05
    sharpness: float = 20.0
    change: float = -3.0
    step_s: float = 0.5
    least_step_s: float = 0.1


RULES = ChordRules()


@dataclass(frozen=True, slots=True)
class ChordSegment:
    """Part under one chord: ``C``, ``Am``, ``G7``, … or ``N``; ``confidence`` 0 to 1."""

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
    fits = _fit(_average(chroma.full, borders), _average(chroma.bass, borders))
    likelihoods = np.exp(RULES.sharpness * (fits - fits.max(axis=1, keepdims=True)))
    probabilities = likelihoods / likelihoods.sum(axis=1, keepdims=True)
    path = likeliest_path(np.log(probabilities + 1e-12), _change_costs())
    changes = [0, *(np.flatnonzero(np.diff(path)) + 1), len(path)]
    return tuple(
        ChordSegment(
            start_s=float(borders[first]),
            end_s=float(borders[last]),
            chord=_name(int(path[first])),
            confidence=float(probabilities[first:last, path[first]].mean()),
        )
        for first, last in pairwise(changes)
    )


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
    """Average frames between borders, ``(n_steps, 12)``; a frame lasts half a hop either way.

    Only the middle half of each step counts: frames are long, and near a border the attack of the
    next chord exceeds the end of this one.
    """
    sums = np.concatenate([np.zeros((1, 12)), np.cumsum(frames, axis=0, dtype=np.float64)])
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
    """Return the fit of each chord at each step, ``(n_steps, 37)``; the last is no chord."""
    means = chroma.mean(axis=1, keepdims=True)
    centred = chroma - means
    # Nearly flat chroma, as of noise, and near silence must not be scaled up to a chord.
    floor = np.maximum(RULES.flattest * np.sqrt(12) * means, RULES.faintest * chroma.max() + 1e-9)
    fits = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), floor)
    roots = bass / np.maximum(bass.max(axis=1, keepdims=True), RULES.faintest * chroma.max() + 1e-9)
    scores = fits @ _templates().T + RULES.bass_share * np.tile(roots, (1, len(_QUALITIES)))
    return np.concatenate([scores, np.full((len(scores), 1), RULES.no_chord_fit)], axis=1)


@cache
def _templates() -> _Matrix:
    """Return the expected chroma of each chord, of mean 0 and norm 1, ``(36, 12)``."""
    templates = np.zeros((_N_CHORDS, 12))
    for number, intervals in enumerate(_QUALITIES.values()):
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


def _name(index: int) -> str:
    if index == _N_CHORDS:
        return NO_CHORD
    root = key_to_short(key_of(index % 12, "major"))
    return root + list(_QUALITIES)[index // 12]
