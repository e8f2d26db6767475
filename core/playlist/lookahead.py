"""Lookahead: which rules can the rest of a line no longer keep?"""

import numpy as np

from core.playlist.lines import Lines, target_depth
from core.playlist.problem import PENALTY, Gains, SetProblem
from core.playlist.windows import Rows

_USUAL_STEP = 2 / 3
"""Share of the largest pitch change that one step towards another tempo is assumed to use, except
the last: there is not a fitting track at every tempo."""


def look_ahead(problem: SetProblem, lines: Lines, line: Rows, row: Rows) -> Gains:
    """Return a lower bound of the loss of continuations.

    Something is lost where the tempo of a required track is too far away for the remaining steps,
    and where a track that is to be planned last precedes one that has to follow.

    Parameters
    ----------
    line, row : shape (n_children,), lines and the tracks that follow.
    """
    return _far_tempo(problem, lines, line, row) + _early_track(problem, lines, line, row)


def _early_track(problem: SetProblem, lines: Lines, line: Rows, row: Rows) -> Gains:
    is_unmixable = problem.table.is_unmixable
    is_due = ~is_unmixable
    if problem.n_wanted != len(problem.table):
        is_due &= problem.is_must
    n_open = (~lines.is_used[:, is_due]).sum(axis=1)
    is_open = (n_open > 0)[line]
    if problem.end is not None:
        is_open |= ~is_unmixable[problem.end]
    lost: Gains = (is_unmixable[row] & is_open).astype(np.int64)
    return PENALTY * lost


def _far_tempo(problem: SetProblem, lines: Lines, line: Rows, row: Rows) -> Gains:
    goals = np.flatnonzero(problem.is_must)
    ends = [] if problem.end is None else [problem.end]
    if not len(goals) and not ends:
        return np.zeros(len(row), np.int64)
    log_tempo = problem.table.log_tempo
    way = log_tempo[np.concatenate([goals, np.array(ends, np.intp)])] - log_tempo[row][:, None]
    way = np.nan_to_num(way - np.clip(np.rint(way), -1.0, 1.0))
    way[:, : len(goals)][lines.is_used[:, goals][line]] = 0.0
    up, down = np.maximum(way.max(axis=1), 0.0), np.maximum(-way.min(axis=1), 0.0)
    furthest = up + down + np.minimum(up, down)
    step = _USUAL_STEP * np.log2(1.0 + problem.request.max_pitch_percent / 100.0)
    needed = np.ceil(furthest / step - 1.0 / _USUAL_STEP + 1.0)
    target = target_depth(problem)
    if target is not None:
        room = np.full(len(row), float(target - lines.depth - 1 + len(ends)))
    else:
        left_s = (problem.request.duration_s or 0.0) - lines.elapsed_s[line] - problem.play_s[row]
        room = np.floor(left_s / np.median(problem.play_s))
    lost: Gains = np.maximum(needed - np.maximum(room, 0.0), 0.0).astype(np.int64)
    return PENALTY * lost
