"""Tracks that can follow a line, and the gain of each step.

`AllPairs` rates every step between few tracks. `Shortlists` searches a large library: it rates the
cheap parts for every track in a compatible key, and the rest for the most promising of them.
"""

import numpy as np
from numpy.typing import NDArray

from core.playlist.harmony import HARMONY
from core.playlist.lines import Children, Lines
from core.playlist.lookahead import look_ahead
from core.playlist.problem import MICRO, PENALTY, Gains, SetProblem
from core.playlist.rating import DETAIL_WEIGHT, WEIGHTS, rate_details, rate_outline
from core.playlist.tempo import pitch_change_percent
from core.playlist.windows import Rows

SHORTLIST = 16
LONGLIST = 512
_ENOUGH = 4 * SHORTLIST
_STARTS = 64


class AllPairs:
    """Successors from all tracks; every step is rated once."""

    def __init__(self, problem: SetProblem) -> None:
        self._problem = problem
        self._rows = np.arange(len(problem.table))
        self._steps = problem.rate_all_steps(self._rows)

    def __call__(self, lines: Lines, is_allowed: NDArray[np.bool_]) -> Children:
        """Extend lines by all allowed tracks."""
        line, row = np.nonzero(is_allowed)
        gain = _rate_places(self._problem, lines, line, row)
        if lines.depth:
            gain += self._steps[lines.paths[line, -1], row]
        return Children(line, row, gain)


class Shortlists:
    """Successors from a large library: the most promising tracks.

    For a greedy line they include the best of all: whatever was skipped or not rated in full is
    rated if it could still be better.
    """

    def __init__(self, problem: SetProblem) -> None:
        self._problem = problem
        self._mates: dict[int, Rows] = {}

    def __call__(self, lines: Lines, is_allowed: NDArray[np.bool_]) -> Children:
        """Extend lines by the best of the allowed tracks."""
        if not lines.depth:
            return self._begin(lines, is_allowed)
        rows = [self._find_rows(lines, is_allowed, line) for line in range(len(lines.paths))]
        children = self._rate(lines, rows)
        disappointed = self._find_disappointed(lines, children)
        if not len(disappointed):
            return children
        for line in disappointed:
            rows[line] = np.flatnonzero(is_allowed[line])
        return self._rate(lines, rows)

    def _rate(self, lines: Lines, rows: list[Rows]) -> Children:
        """Rate the most promising of the given rows for each line."""
        line = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
        row = np.concatenate([*rows, np.zeros(0, np.intp)])
        last = lines.paths[line, -1]
        table, limit = self._problem.table, self._problem.request.max_pitch_percent
        outline = rate_outline(table, last, table, row, max_pitch_percent=limit)
        pitch = outline.pitch_change_percent
        places = _rate_places(self._problem, lines, line, row)
        places -= PENALTY * self._problem.find_early(last, row)
        ahead = look_ahead(self._problem, lines, line, row)
        bounds = places + self._problem.to_gains(outline.score + DETAIL_WEIGHT, pitch) - ahead

        def rate(chosen: Rows) -> Gains:
            details = rate_details(table, last[chosen], table, row[chosen], pitch[chosen])
            score = outline.score[chosen] + details.score
            return places[chosen] + self._problem.to_gains(score, pitch[chosen])

        chosen = self._shortlist(bounds, [len(part) for part in rows], row)
        gain = rate(chosen)
        missed = self._find_missed(lines, line, chosen, gain, bounds)
        chosen, gain = np.concatenate([chosen, missed]), np.concatenate([gain, rate(missed)])
        order = np.argsort(chosen)
        return Children(line[chosen[order]], row[chosen[order]], gain[order])

    def _find_disappointed(self, lines: Lines, children: Children) -> Rows:
        """Find the greedy lines for which a track in a clashing key could be better."""
        clash = np.full(1, 1.0 - WEIGHTS["harmony"])
        bound = int(self._problem.to_gains(clash, np.zeros(1))[0])
        bound += round(self._problem.curve_weight * MICRO)
        best = np.full(len(lines.paths), np.iinfo(np.int64).min)
        np.maximum.at(best, children.line, children.gain)
        return np.flatnonzero(lines.is_greedy & (best <= bound))

    def _begin(self, lines: Lines, is_allowed: NDArray[np.bool_]) -> Children:
        row = np.flatnonzero(is_allowed[0])
        gain = _rate_places(self._problem, lines, np.zeros(len(row), np.intp), row)
        order = np.argsort(-gain, kind="stable")
        n_tied = int(np.count_nonzero(gain == gain.max(initial=0)))
        # Of equally good first tracks, take some from the whole library, the first included.
        spread = order[np.linspace(0, max(n_tied, _STARTS) - 1, _STARTS).astype(np.intp) % len(row)]
        waiting = np.flatnonzero(self._problem.is_must[row])
        chosen = np.unique(np.concatenate([spread, waiting]))
        return Children(np.zeros(len(chosen), np.intp), row[chosen], gain[chosen])

    def _find_rows(self, lines: Lines, is_allowed: NDArray[np.bool_], line: int) -> Rows:
        """Find the allowed tracks of compatible key and tempo: all allowed ones if these are few,
        those of the nearest tempo if they are very many."""
        table, is_must = self._problem.table, self._problem.is_must
        last = lines.paths[line, -1]
        key = int(table.key[last])
        if key not in self._mates:
            self._mates[key] = np.flatnonzero((HARMONY[key] > 0)[table.key] | is_must)
        rows = self._mates[key]
        rows = rows[is_allowed[line, rows]]
        pitch = np.abs(pitch_change_percent(table.log_tempo[last], table.log_tempo[rows]))
        is_near = ~(pitch > self._problem.request.max_pitch_percent)
        if np.count_nonzero(is_near) < _ENOUGH:
            return np.flatnonzero(is_allowed[line])
        is_free = not self._problem.request.wanted and not lines.is_greedy[line]
        if is_free and np.count_nonzero(is_near) > LONGLIST:
            is_near = pitch <= np.partition(pitch, LONGLIST)[LONGLIST]
        near: Rows = rows[is_near | is_must[rows]]
        return near

    def _shortlist(self, bounds: Gains, sizes: list[int], row: Rows) -> Rows:
        """Choose the most promising children of each line, and all required tracks."""
        parts = [np.flatnonzero(self._problem.is_must[row])]
        first = 0
        for size in sizes:
            part = bounds[first : first + size]
            if size > SHORTLIST:
                parts.append(first + np.argpartition(-part, SHORTLIST)[:SHORTLIST])
            else:
                parts.append(np.arange(first, first + size))
            first += size
        return np.unique(np.concatenate(parts))

    def _find_missed(
        self, lines: Lines, line: Rows, chosen: Rows, gain: Gains, bounds: Gains
    ) -> Rows:
        """Find the children not chosen that could still be the best of a greedy line."""
        is_open = np.ones(len(line), np.bool_)
        is_open[chosen] = False
        missed = [np.zeros(0, np.intp)]
        for greedy in np.flatnonzero(lines.is_greedy):
            gains = gain[line[chosen] == greedy]
            best = gains.max() if len(gains) else 0
            missed.append(np.flatnonzero(is_open & (line == greedy) & (bounds >= best)))
        return np.concatenate(missed)


def _rate_places(problem: SetProblem, lines: Lines, line: Rows, row: Rows) -> Gains:
    """Return the gains of children by position: fit to the curve, repeated artists."""
    gain = problem.rate_places(row, lines.depth, lines.elapsed_s[line])
    if problem.request.artist_gap > 1 and lines.depth:
        gain -= PENALTY * problem.count_repeats(lines.paths, line, row)
    return gain
