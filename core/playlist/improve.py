"""Local search on a path: reverse a part, move a track, swap one for another.

Each round tries every such change at the path's weakest steps and makes the best one, until no
change gains. References: 2-opt, Croes 1958; or-opt, Or 1976.
"""

import numpy as np

from core.playlist.problem import SetProblem
from core.playlist.windows import Floats, Rows

_MOST_ROUNDS = 200
_MOST_ENTRIES = 2_000_000


def improve_path(problem: SetProblem, path: Rows, spares: Rows) -> Rows:
    """Improve a path until no change gains.

    Parameters
    ----------
    path : rows of the table.
    spares : rows that may replace others; those of the path itself are ignored.

    Returns
    -------
    A path of the same length and at least the same value; `SetProblem.start` and ``end`` keep
    their places.
    """
    spares = spares[~np.isin(spares, path)]
    pool = np.concatenate([path, spares])
    steps = problem.rate_all_steps(pool)
    # From here on tracks are indices of the pool.
    best = np.arange(len(path))
    worth = _rate(problem, pool, steps, best[None])[0]
    for _ in range(_MOST_ROUNDS):
        changed = _change(problem, steps, best)
        worths = _rate(problem, pool, steps, changed)
        if not len(worths) or worths.max() <= worth + 1e-9:
            break
        best, worth = changed[np.argmax(worths)], worths.max()
    return pool[best]


def _rate(problem: SetProblem, pool: Rows, steps: Rows, paths: Rows) -> Floats:
    gains = np.zeros(paths.shape, np.int64)
    gains[:, 1:] = steps[paths[:, :-1], paths[:, 1:]]
    return problem.rate_paths(pool[paths], gains)


def _change(problem: SetProblem, steps: Rows, path: Rows) -> Rows:
    """Return the paths after one change, shape (n_paths, n_tracks)."""
    n = len(path)
    first = int(problem.start is not None)
    last = n - int(problem.end is not None)
    gains = np.concatenate([[np.iinfo(np.int64).max], steps[path[:-1], path[1:]]])
    n_weakest = max(1, _MOST_ENTRIES // (3 * n * n))
    weakest = np.argsort(gains, kind="stable")[:n_weakest]
    near = np.unique(np.concatenate([weakest, weakest - 1]))
    near = near[(near >= first) & (near < last)]
    anywhere = np.arange(first, last)
    moves_from, moves_to = _pair(near, anywhere)
    starts, ends = _pair(weakest[(weakest >= first) & (weakest < last)], anywhere)
    heads, tails = _pair(anywhere, near)
    orders = np.concatenate(
        [
            _move(n, moves_from, moves_to),
            _reverse(n, starts, ends),
            _reverse(n, heads, tails),
        ]
    )
    return np.concatenate([path[orders], _swap(len(steps), path, near)])


def _pair(first: Rows, second: Rows) -> tuple[Rows, Rows]:
    return np.repeat(first, len(second)), np.tile(second, len(first))


def _move(n: int, origin: Rows, goal: Rows) -> Rows:
    """Return the orders with the track at ``origin`` moved to ``goal``."""
    is_moved = origin != goal
    origin, goal = origin[is_moved, None], goal[is_moved, None]
    place = np.arange(n)
    later = np.where((place >= origin) & (place < goal), place + 1, place)
    earlier = np.where((place > goal) & (place <= origin), place - 1, later)
    return np.where(place == goal, origin, earlier)


def _reverse(n: int, start: Rows, end: Rows) -> Rows:
    """Return the orders with the part from ``start`` to ``end`` reversed."""
    is_part = start < end
    start, end = start[is_part, None], end[is_part, None]
    place = np.arange(n)
    return np.where((place >= start) & (place <= end), start + end - place, place)


def _swap(n_pool: int, path: Rows, places: Rows) -> Rows:
    """Return the paths with one track replaced by another of the pool."""
    place, spare = _pair(places, np.setdiff1d(np.arange(n_pool), path))
    swapped = np.repeat(path[None], len(place), axis=0)
    swapped[np.arange(len(place)), place] = spare
    return swapped
