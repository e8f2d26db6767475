"""The order in which a set of tracks mixes best.

A playlist is a path through all tracks; its value is the sum of the scores of its transitions. Up
to `EXACT_LIMIT` tracks the best path of all is found (Held & Karp 1962, O(n² 2ⁿ)); beyond, greedy
paths are improved by reversing and moving parts (2-opt, Croes 1958; or-opt, Or 1976) until neither
helps. Scores are compared as integers, so equal is equal and ties fall to the order given: the
same tracks in the same order always give the same playlist.

References: Held & Karp, "A dynamic programming approach to sequencing problems", J. SIAM 10 (1962).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.playlist.transition import PlaylistTrack, Transition, rate_transition

__all__ = ["EXACT_LIMIT", "PlaylistPlan", "PlaylistTrack", "Transition", "order_tracks"]

EXACT_LIMIT = 12
_SCALE = 1_000_000
_MAX_STARTS = 100
_IMPROVED_STARTS = 5
_LONGEST_MOVED = 3

_Scores = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PlaylistPlan:
    """Tracks in playing order.

    Parameters
    ----------
    tracks : each track given, once.
    transitions : one fewer than tracks; between neighbours.
    score : mean of the transitions' scores, 0 to 1; 1 where there is no transition.
    """

    tracks: tuple[PlaylistTrack, ...]
    transitions: tuple[Transition, ...]
    score: float


def order_tracks(tracks: Sequence[PlaylistTrack]) -> PlaylistPlan:
    """Put tracks in the order that mixes best.

    Parameters
    ----------
    tracks : in any order; no tracks and one track give a plan without transitions.

    Returns
    -------
    The best plan of all for up to `EXACT_LIMIT` tracks, a good one beyond.

    Raises
    ------
    ValueError : a track's ``camelot`` is no Camelot code.
    """
    scores = np.zeros((len(tracks), len(tracks)), dtype=np.int64)
    for i, outgoing in enumerate(tracks):
        for j, incoming in enumerate(tracks):
            if i != j:
                scores[i, j] = round(rate_transition(outgoing, incoming).score * _SCALE)
    solve = _solve_exactly if len(tracks) <= EXACT_LIMIT else _solve_by_improvement
    ordered = tuple(tracks[i] for i in solve(scores))
    transitions = tuple(rate_transition(a, b) for a, b in itertools.pairwise(ordered))
    total = sum(transition.score for transition in transitions)
    return PlaylistPlan(ordered, transitions, total / len(transitions) if transitions else 1.0)


def _solve_exactly(scores: _Scores) -> list[int]:
    """Find the first, in the order of the indices, of the best paths."""
    n = len(scores)
    # best[rest, i]: the most that a path gains which stands at i and has the set `rest` to go.
    best = np.zeros((1 << n, n), dtype=np.int64)
    for rest in range(1, 1 << n):
        nexts = [j for j in range(n) if rest >> j & 1]
        gained = [best[rest ^ (1 << j), j] for j in nexts]
        best[rest] = (scores[:, nexts] + np.array(gained)).max(axis=1)
    path: list[int] = []
    rest = (1 << n) - 1
    while rest:
        nexts = [j for j in range(n) if rest >> j & 1]
        gains = [best[rest ^ (1 << j), j] + (scores[path[-1], j] if path else 0) for j in nexts]
        path.append(nexts[int(np.argmax(gains))])
        rest ^= 1 << path[-1]
    return path


def _solve_by_improvement(scores: _Scores) -> list[int]:
    n = len(scores)
    starts = range(n) if n <= _MAX_STARTS else range(0, n, -(-n // _MAX_STARTS))
    paths = sorted(
        (_go_greedily(scores, start) for start in starts), key=lambda p: -_gain(scores, p)
    )
    improved = [_improve(scores, path) for path in paths[:_IMPROVED_STARTS]]
    return max(improved, key=lambda path: _gain(scores, path))


def _gain(scores: _Scores, path: Sequence[int]) -> int:
    return int(scores[list(path[:-1]), list(path[1:])].sum())


def _go_greedily(scores: _Scores, start: int) -> list[int]:
    path = [start]
    is_left = np.ones(len(scores), dtype=bool)
    is_left[start] = False
    while is_left.any():
        path.append(int(np.argmax(np.where(is_left, scores[path[-1]], -1))))
        is_left[path[-1]] = False
    return path


def _improve(scores: _Scores, path: list[int]) -> list[int]:
    """Reverse and move parts of a path as long as that gains; each step gains at least one unit."""
    n = len(path)
    # A track that costs nothing to come from or go to stands before the first and after the last.
    padded = np.pad(scores, (0, 1))
    ring = np.array([n, *path, n])
    while True:
        reversed_ring = _reverse_best_part(padded, ring)
        moved_ring = _move_best_part(padded, reversed_ring)
        if np.array_equal(moved_ring, ring):
            return [int(i) for i in ring[1:-1]]
        ring = moved_ring


def _reverse_best_part(scores: _Scores, ring: NDArray[np.int64]) -> NDArray[np.int64]:
    forward = np.concatenate([[0], np.cumsum(scores[ring[:-1], ring[1:]])])
    backward = np.concatenate([[0], np.cumsum(scores[ring[1:], ring[:-1]])])
    best_gain, best_part = 0, (0, 0)
    for i in range(1, len(ring) - 2):
        j = np.arange(i + 1, len(ring) - 1)
        now = forward[j + 1] - forward[i - 1]
        then = (
            scores[ring[i - 1], ring[j]] + backward[j] - backward[i] + scores[ring[i], ring[j + 1]]
        )
        gains = then - now
        if gains.max() > best_gain:
            best_gain, best_part = int(gains.max()), (i, int(j[gains.argmax()]))
    if not best_gain:
        return ring
    i, last = best_part
    return np.concatenate([ring[:i], ring[i : last + 1][::-1], ring[last + 1 :]])


def _move_best_part(scores: _Scores, ring: NDArray[np.int64]) -> NDArray[np.int64]:
    best_gain, best_move = 0, (0, 0, 0)
    links = scores[ring[:-1], ring[1:]]
    for length in range(1, _LONGEST_MOVED + 1):
        for i in range(1, len(ring) - length):
            last = i + length - 1
            closed = scores[ring[i - 1], ring[last + 1]] - links[i - 1] - links[last]
            gains = closed + scores[ring[:-1], ring[i]] + scores[ring[last], ring[1:]] - links
            gains[i - 1 : last + 1] = 0
            if gains.max() > best_gain:
                best_gain, best_move = int(gains.max()), (i, last, int(gains.argmax()))
    if not best_gain:
        return ring
    i, last, after = best_move
    part, rest = ring[i : last + 1], np.concatenate([ring[:i], ring[last + 1 :]])
    place = after + 1 if after < i else after + 1 - len(part)
    return np.concatenate([rest[:place], part, rest[place:]])
