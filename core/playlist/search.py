"""Search for a good path: dynamic programming or beam search over partial paths.

A line is a partial path. In each round every line is extended by every track that can follow; of
lines with the same tracks and the same end only the best is kept. Without a limit the result is
exact (Held & Karp 1962); with the best `width` lines it is a beam search. Some lines of a beam are
greedy: they take their own best next track and are never cut, so that the result is never worse
than the greedy one.

References: Held & Karp, "A dynamic programming approach to sequencing problems", J. SIAM 10 (1962).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.playlist.lines import Children, Lines, target_depth
from core.playlist.lookahead import look_ahead
from core.playlist.problem import PENALTY, Gains, SetProblem
from core.playlist.windows import Floats, Rows

_HASH_SEED = 20240229
_HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_BITS = 62


class Continue(Protocol):
    """Provider of the tracks that can follow lines."""

    def __call__(self, lines: Lines, is_allowed: NDArray[np.bool_]) -> Children:
        """Extend lines by allowed tracks, shape (n_lines, n_tracks); greedy lines come first."""


@dataclass(frozen=True, slots=True)
class Found:
    """The best path and its value; ``rows`` are those of good lines, best first."""

    path: Rows
    worth: float
    rows: Rows


def search(problem: SetProblem, go_on: Continue, *, width: int | None, n_greedy: int = 0) -> Found:
    """Find a good path; the optimum if ``width`` is None.

    Parameters
    ----------
    go_on : provides the continuations of lines.
    width : number of lines kept, besides the greedy ones.
    n_greedy : number of greedy lines; the first starts with the best first track.
    """
    lines = longest = _begin(problem)
    path, worth = np.zeros(0, np.intp), -np.inf
    marks = _mark_tracks(len(problem.table))
    artists = _find_repeated_artists(problem)
    while len(lines.paths):
        longest = lines
        finished, worths = _finish(problem, lines)
        if len(worths) and worths.max() > worth:
            path, worth = finished[np.argmax(worths)], float(worths.max())
        lines = lines.take(_find_unfinished(problem, lines, is_exact=width is None))
        children = go_on(lines, _find_allowed(problem, lines, is_exact=width is None))
        chosen, is_greedy = _select(problem, lines, children, artists, marks, width, n_greedy)
        lines = _continue(problem, lines, children, chosen, is_greedy, marks)
    rows = dict.fromkeys([*path.tolist(), *longest.paths.ravel().tolist()])
    return Found(path, worth, np.array([*rows], np.intp))


def _begin(problem: SetProblem) -> Lines:
    is_used = np.zeros((1, len(problem.table)), np.bool_)
    if problem.end is not None:
        is_used[0, problem.end] = True
    return Lines(
        paths=np.zeros((1, 0), np.intp),
        gains=np.zeros(1, np.int64),
        elapsed_s=np.zeros(1),
        is_used=is_used,
        marks=np.zeros(1, np.uint64),
        is_greedy=np.ones(1, np.bool_),
    )


def _mark_tracks(n_tracks: int) -> NDArray[np.uint64]:
    """Assign each track a bit, or a random number if there are too many (Zobrist 1970)."""
    if n_tracks <= _BITS:
        return np.uint64(1) << np.arange(n_tracks, dtype=np.uint64)
    return np.random.default_rng(_HASH_SEED).integers(0, 2**64, n_tracks, dtype=np.uint64)


def _find_repeated_artists(problem: SetProblem) -> NDArray[np.uint64]:
    """Return the artist of each track, or 0 if the artist has only one track."""
    artist = problem.table.artist
    counts = np.bincount(artist + 1, minlength=1)
    counts[0] = 0
    repeated: NDArray[np.uint64] = np.where(counts[artist + 1] > 1, artist + 1, 0).astype(np.uint64)
    return repeated


def _finish(problem: SetProblem, lines: Lines) -> tuple[Rows, Floats]:
    """Return the lines as finished paths, and their values."""
    target, paths, gains = target_depth(problem), lines.paths, lines.gains
    played_s = lines.elapsed_s
    if target not in (None, lines.depth):
        return paths[:0], played_s[:0]
    if problem.end is not None:
        end = np.full(len(paths), problem.end)
        if lines.depth:
            gains = gains + problem.rate_steps(paths[:, -1], end)
        gains = gains + problem.rate_places(end, lines.depth, played_s)
        gains = gains - PENALTY * problem.count_repeats(paths, np.arange(len(end)), end)
        played_s = played_s + problem.play_s[end]
        paths = np.concatenate([paths, end[:, None]], axis=1)
    if not paths.shape[1]:
        return paths[:0], played_s[:0]
    worths = problem.settle(
        gains, paths.shape[1], played_s, paths[:, -1], _count_outstanding(problem, lines)
    )
    return paths, worths


def _count_outstanding(problem: SetProblem, lines: Lines) -> NDArray[np.intp]:
    outstanding: NDArray[np.intp] = (~lines.is_used[:, problem.is_must]).sum(axis=1)
    return outstanding


def _find_unfinished(problem: SetProblem, lines: Lines, *, is_exact: bool) -> Rows:
    target = target_depth(problem)
    if target is not None:
        return np.arange(len(lines.paths) if lines.depth < target else 0)
    if is_exact:
        return np.arange(len(lines.paths))
    is_short = lines.elapsed_s + _end_play_s(problem) < (problem.request.duration_s or 0.0)
    return np.flatnonzero(is_short | (_count_outstanding(problem, lines) > 0))


def _end_play_s(problem: SetProblem) -> float:
    return 0.0 if problem.end is None else float(problem.play_s[problem.end])


def _find_allowed(problem: SetProblem, lines: Lines, *, is_exact: bool) -> NDArray[np.bool_]:
    """Return which tracks may follow: only required ones if no more places are left."""
    is_allowed = ~lines.is_used
    if lines.depth == 0 and problem.start is not None:
        is_allowed[:] = False
        is_allowed[:, problem.start] = True
        return is_allowed
    if not problem.is_must.any():
        return is_allowed
    is_waiting = is_allowed & problem.is_must
    target = target_depth(problem)
    if target is not None:
        has_room = is_waiting.sum(axis=1) < target - lines.depth
    elif is_exact:
        has_room = np.ones(len(lines.paths), np.bool_)
    else:
        left_s = (problem.request.duration_s or 0.0) - lines.elapsed_s - _end_play_s(problem)
        has_room = is_waiting @ problem.play_s < left_s
    has_room |= ~is_waiting.any(axis=1)
    return np.where(has_room[:, None], is_allowed, is_waiting)


def _select(
    problem: SetProblem,
    lines: Lines,
    children: Children,
    artists: NDArray[np.uint64],
    marks: NDArray[np.uint64],
    width: int | None,
    n_greedy: int,
) -> tuple[Rows, NDArray[np.bool_]]:
    """Choose the continuations to keep; greedy ones first, each kind best first."""
    gains = lines.gains[children.line] + children.gain
    greedy = _find_greedy(lines, children, gains, n_greedy)
    prospects = gains
    if width is not None:
        prospects = gains - look_ahead(problem, lines, children.line, children.row)
    order = np.argsort(-prospects, kind="stable")
    signature = _HASH_FACTOR * (lines.marks[children.line] ^ marks[children.row])
    signature += children.row.astype(np.uint64)
    for back in range(1, min(problem.request.artist_gap - 1, lines.depth + 1)):
        signature = _HASH_FACTOR * signature + artists[lines.paths[children.line, -back]]
    best = order[np.sort(np.unique(signature[order], return_index=True)[1])]
    if width is not None:
        best = _cut(problem, lines, children, best, width)
    is_greedy = np.arange(len(greedy) + len(best)) < len(greedy)
    return np.concatenate([greedy, best]), is_greedy


def _find_greedy(lines: Lines, children: Children, gains: Gains, n_greedy: int) -> Rows:
    """Find the greedy continuations, best first: by gains alone, as greed looks at nothing else."""
    order = np.argsort(-gains, kind="stable")
    if not lines.depth:
        return order[:n_greedy]
    parents, firsts = np.unique(children.line[order], return_index=True)
    return order[firsts[lines.is_greedy[parents]]][:n_greedy]


def _cut(problem: SetProblem, lines: Lines, children: Children, best: Rows, width: int) -> Rows:
    """Keep the best, and the best for each number of required tracks: these cost gains now and
    would otherwise all be postponed."""
    n_must = int(problem.is_must.sum())
    if not n_must:
        return best[:width]
    line, row = children.line[best], children.row[best]
    played = n_must - _count_outstanding(problem, lines)[line] + problem.is_must[row]
    share = max(2, -(-width // (n_must + 1)))
    kept = [np.arange(min(width, len(best)))]
    kept += [np.flatnonzero(played == count)[:share] for count in range(n_must + 1)]
    return best[np.unique(np.concatenate(kept))]


def _continue(
    problem: SetProblem,
    lines: Lines,
    children: Children,
    chosen: Rows,
    is_greedy: NDArray[np.bool_],
    marks: NDArray[np.uint64],
) -> Lines:
    line, row = children.line[chosen], children.row[chosen]
    is_used = lines.is_used[line]
    is_used[np.arange(len(row)), row] = True
    return Lines(
        paths=np.concatenate([lines.paths[line], row[:, None]], axis=1),
        gains=lines.gains[line] + children.gain[chosen],
        elapsed_s=lines.elapsed_s[line] + problem.play_s[row],
        is_used=is_used,
        marks=lines.marks[line] ^ marks[row],
        is_greedy=is_greedy,
    )
