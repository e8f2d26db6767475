"""The harmony network: what sounds in every frame, and the key of any stretch, by learned weights.

A small convolutional network reads the tuned pitches of `core.analysis.harmony.chroma`. Its layers
move with the pitch: every key and chord is judged by the same weights, relative to its root.

Data flow: pitches → for each root, the five octaves above it → features of the root → features of
the twelve roots together → chord of the frame; averaged over a stretch, with the same of
its first third → key. The mode is decided by the last layer.

`bench.train_harmony` trains the weights in ``weights/harmony.npz`` on music made by rule.

References: Korzeniowski & Widmer, "End-to-end musical key estimation using a convolutional neural
network", EUSIPCO 2017; the same, "A fully convolutional deep auditory model for musical chord
recognition", MLSP 2016.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

CHORD_QUALITIES = ("", "m", "7", "maj7", "m7", "dim", "m7b5", "sus4", "5")
"""Qualities of the chords that the network knows."""
N_CHORDS = 12 * len(CHORD_QUALITIES)
"""Chords, quality by quality, each from C to B; the one after them is no chord."""
BLOCK_FRAMES = 4
"""Frames whose features are kept as a sum: 0.7 s."""

_BELOW, _ABOVE = 12, 2  # silent pitches below E1 and above C6, so that each root has five octaves
_LOWEST_CLASS = 4  # pitch class of the lowest pitch, E
_FRAMES_AT_ONCE = 256 * BLOCK_FRAMES  # bounds memory; the result does not depend on it
# Share of the loudest frame that is added to a frame's strongest pitch: fainter frames count less.
_FAINT = 0.1

# Frames of the opening of a stretch that counts on its own: a third, 1.5 to 10 s.
_FEWEST_OPENING, _MOST_OPENING = 8, 54

_Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HeardHarmony:
    """What the network hears in every frame of the pitches.

    Parameters
    ----------
    chords : log-probabilities of the chords and of no chord, ``(n_frames, N_CHORDS + 1)``.
    sums : weighted features of every `BLOCK_FRAMES` frames, summed, ``(n_blocks, n_features)``.
    weights : of the same frames, summed, ``(n_blocks,)``.
    """

    chords: _Matrix
    sums: _Matrix
    weights: _Matrix

    def key(self, first: int, last: int) -> NDArray[np.float64]:
        """Return the log-probabilities of the keys of frames ``first`` to ``last``, exclusive.

        Shape ``(24,)``: C major … B, C minor … B. Both are moved outwards to whole blocks.
        """
        opening = min(first + n_opening_frames(last - first), last)
        features = [self._mean(first, last), self._mean(first, opening)]
        return _layers().key(np.concatenate(features, axis=1).ravel())

    def _mean(self, first: int, last: int) -> NDArray[np.float64]:
        blocks = slice(first // BLOCK_FRAMES, -(-last // BLOCK_FRAMES))
        total = max(float(self.weights[blocks].sum(dtype=np.float64)), 1e-6)
        mean: NDArray[np.float64] = self.sums[blocks].sum(axis=0, dtype=np.float64) / total
        return mean.reshape(12, -1)


def hear_harmony(pitches: _Matrix) -> HeardHarmony:
    """Hear chords and key in tuned pitches, ``(n_frames, 57)`` from E1, at least 0.

    Silence gives no chord, and keys by chance.
    """
    layers = _layers()
    levels, weights = level_frames(pitches)
    n_frames = len(pitches)
    starts = np.arange(0, n_frames, BLOCK_FRAMES)
    chords = np.empty((n_frames, N_CHORDS + 1), dtype=np.float32)
    sums = np.empty((len(starts), len(layers.root_bias)), dtype=np.float32)
    for start in range(0, n_frames, _FRAMES_AT_ONCE):
        part = slice(start, start + _FRAMES_AT_ONCE)
        features = layers.hear(levels[part])
        chords[part] = _log_softmax(features @ layers.chord + layers.chord_bias)
        blocks = slice(start // BLOCK_FRAMES, part.stop // BLOCK_FRAMES)
        weighted = features * weights[part, None]
        sums[blocks] = np.add.reduceat(weighted, starts[blocks] - start, axis=0)
    return HeardHarmony(chords=chords, sums=sums, weights=np.add.reduceat(weights, starts))


def level_frames(pitches: _Matrix) -> tuple[_Matrix, _Matrix]:
    """Bring frames to one level, except nearly silent ones.

    Returns
    -------
    The pitches, the strongest of a frame at 1 or below; and that strongest, ``(n_frames,)``, as the
    frame's weight.
    """
    largest = pitches.max(axis=1, keepdims=True)
    scale = largest + np.float32(_FAINT) * largest.max(initial=0) + np.float32(1e-6)
    return pitches / scale, (largest / scale)[:, 0]


def n_opening_frames(n_frames: int) -> int:
    """Return the length of the opening of a stretch."""
    return max(_FEWEST_OPENING, min(_MOST_OPENING, n_frames // 3))


@dataclass(frozen=True, slots=True)
class _Layers:
    """The weights of each layer for all twelve roots, root by root, C first.

    Parameters
    ----------
    pitch, pitch_bias : from pitches to features of each root.
    root, root_bias : from these to features of the roots together.
    chord, chord_bias : from these to chords.
    mean, mean_bias, key_weights : from averaged features to hidden ones, and from these to keys.
    """

    pitch: _Matrix
    pitch_bias: _Matrix
    root: _Matrix
    root_bias: _Matrix
    chord: _Matrix
    chord_bias: _Matrix
    mean: _Matrix
    mean_bias: _Matrix
    key_weights: _Matrix

    def hear(self, pitches: _Matrix) -> _Matrix:
        """Return the features of frames, ``(n_frames, n_features)``."""
        padded = np.pad(pitches, ((0, 0), (_BELOW, _ABOVE)))
        roots = _elu(padded @ self.pitch + self.pitch_bias)
        return _elu(roots @ self.root + self.root_bias)

    def key(self, means: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log-probabilities of the keys, ``(24,)``."""
        hidden = _elu(means.astype(np.float32) @ self.mean + self.mean_bias)
        return _log_softmax(hidden @ self.key_weights).astype(np.float64)


@cache
def _layers() -> _Layers:
    """Load the weights, and lay them out for all roots at once."""
    with (
        files("core.analysis.weights").joinpath("harmony.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as stored,
    ):
        return lay_out({name: stored[name].astype(np.float32) for name in stored.files})


def lay_out(weights: Mapping[str, _Matrix]) -> _Layers:
    """Repeat the weights of one root for all twelve.

    Parameters
    ----------
    weights : ``pitch`` ``(60, a)``; ``root`` ``(12, a, b)``, from the root up; ``chord`` ``(12, b,
        n_qualities)``, ``none`` ``(b,)``; ``mean`` ``(12, 2 b, c)``,
        ``key`` ``(12, c, 2)``; and the ``…_bias`` of each but the last.
    """
    pitch = weights["pitch"]
    n_pitches = len(pitch) + 11
    laid = np.zeros((n_pitches, 12, pitch.shape[1]), dtype=np.float32)
    for step in range(12):
        laid[step : step + len(pitch), (_LOWEST_CLASS + step) % 12] = pitch
    none = np.tile(weights["none"] / 12, 12)[:, None]
    return _Layers(
        pitch=laid.reshape(n_pitches, -1),
        pitch_bias=np.tile(weights["pitch_bias"], 12),
        root=_around(weights["root"]),
        root_bias=np.tile(weights["root_bias"], 12),
        chord=np.concatenate([_by_kind(weights["chord"]), none], axis=1),
        chord_bias=np.append(np.repeat(weights["chord_bias"], 12), weights["none_bias"]),
        mean=_around(weights["mean"]),
        mean_bias=np.tile(weights["mean_bias"], 12),
        key_weights=_by_kind(weights["key"]),
    )


def _around(weights: _Matrix) -> _Matrix:
    """Turn weights from the root up into those from every pitch class to every root."""
    steps = (np.arange(12)[:, None] - np.arange(12)) % 12  # of each pitch class above each root
    turned = weights[steps].transpose(0, 2, 1, 3)
    return np.ascontiguousarray(turned.reshape(12 * weights.shape[1], -1))


def _by_kind(weights: _Matrix) -> _Matrix:
    """Do the same, with results ordered by kind first, then by root."""
    turned = _around(weights)
    by_root = turned.reshape(len(turned), 12, -1)
    return np.ascontiguousarray(by_root.transpose(0, 2, 1).reshape(len(turned), -1))


def _elu(values: _Matrix) -> _Matrix:
    raised: _Matrix = np.where(values > 0, values, np.expm1(np.minimum(values, 0)))
    return raised


def _log_softmax(scores: _Matrix) -> _Matrix:
    scores = scores - scores.max(axis=-1, keepdims=True)
    probabilities: _Matrix = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    return probabilities
