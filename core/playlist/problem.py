"""Objective of planning a set: the value of a path through the tracks.

A path is a sequence of rows of the table, in playing order. Gains are integers in millionths, so
that ties are exact and resolved by the order of the table:

- for each step the transition's score, and with a curve the fit of each track, weighted
  ``1 − CURVE_WEIGHT`` to ``CURVE_WEIGHT``;
- minus `PENALTY` for every broken rule: a pitch change beyond the limit, the same artist within the
  gap, a step from a track without a known tempo or key to one with both. So a rule is broken only
  where nothing else is possible.

The value of a finished path is its gain divided by the sum of weights (a mean, so that paths of
different lengths compare), minus penalties for a missed duration and missing required tracks. A set
lasts from mixing in the first track to the end of the last.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.playlist.curve import EnergyCurve, make_curve
from core.playlist.rating import rate_details, rate_outline
from core.playlist.request import SetRequest
from core.playlist.table import TrackTable
from core.playlist.windows import Floats, Rows

CURVE_WEIGHT = 0.35
MICRO = 1_000_000
PENALTY = 1000 * MICRO
"""Exceeds the gain of any set of a few hundred tracks."""

MISS_WEIGHT = 4.0
"""Cost of missing the whole duration: one minute of sixty costs .067."""

FREE_MISS = 0.1
BAD_MISS_WEIGHT = 1e5
LOST_TRACK_COST = 1e6
"""Missing the duration by over a tenth is worse than a broken rule, a missing track is worst."""

UNKNOWN_PLAY_S = 240.0
_PAIRS_AT_ONCE = 1 << 14

Gains = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SetProblem:
    """The tracks to choose from and the request.

    Parameters
    ----------
    table : without excluded tracks; not empty.
    request : its ids are all in the table.
    n_wanted : number of tracks of the set; None if the duration decides.
    curve : None without a curve.
    start, end : rows, or None.
    is_must : shape (n,), whether a track is required; ``start`` and ``end`` excluded.
    play_s, tail_s : shape (n,), known for every track.
    """

    table: TrackTable
    request: SetRequest
    n_wanted: int | None
    curve: EnergyCurve | None
    start: int | None
    end: int | None
    is_must: NDArray[np.bool_]
    play_s: Floats
    tail_s: Floats

    @property
    def curve_weight(self) -> float:
        """Weight of the curve relative to the transitions."""
        return CURVE_WEIGHT if self.curve else 0.0

    def find_early(self, out_rows: Rows, in_rows: Rows) -> NDArray[np.bool_]:
        """Return which steps leave a track that is to be planned last for one that is not."""
        is_unmixable = self.table.is_unmixable
        return is_unmixable[out_rows] & ~is_unmixable[in_rows]

    def to_gains(self, score: Floats, pitch_percent: Floats) -> Gains:
        """Convert transitions' scores to gains; NaN pitch breaks no rule."""
        gains = np.rint((1.0 - self.curve_weight) * MICRO * score).astype(np.int64)
        return gains - PENALTY * (np.abs(pitch_percent) > self.request.max_pitch_percent)

    def rate_steps(self, out_rows: Rows, in_rows: Rows) -> Gains:
        """Return the gains of steps between rows, both of shape (n_pairs,)."""
        table, limit = self.table, self.request.max_pitch_percent
        outline = rate_outline(table, out_rows, table, in_rows, max_pitch_percent=limit)
        pitch = outline.pitch_change_percent
        details = rate_details(table, out_rows, table, in_rows, pitch)
        gains = self.to_gains(outline.score + details.score, pitch)
        return gains - PENALTY * self.find_early(out_rows, in_rows)

    def rate_all_steps(self, rows: Rows) -> Gains:
        """Return the gains between all given rows, shape (n_rows, n_rows), from row to column."""
        n = len(rows)
        gains = np.empty((n, n), dtype=np.int64)
        height = max(1, _PAIRS_AT_ONCE // max(n, 1))
        for first in range(0, n, height):
            block = rows[first : first + height]
            pairs = self.rate_steps(np.repeat(block, n), np.tile(rows, len(block)))
            gains[first : first + height] = pairs.reshape(len(block), n)
        return gains

    def rate_places(self, rows: Rows, depth: int | Rows, elapsed_s: Floats) -> Gains:
        """Return the gains of tracks for their fit to the curve.

        Parameters
        ----------
        rows, depth, elapsed_s : the tracks, the number of tracks before each, and their playing
            time; shapes that broadcast.
        """
        if self.curve is None:
            return np.zeros(np.broadcast_shapes(rows.shape, elapsed_s.shape), np.int64)
        progress = self.progress(rows, depth, elapsed_s)
        fit = self.curve.rate(self.table.energy[rows], progress)
        return np.rint(self.curve_weight * MICRO * fit).astype(np.int64)

    def progress(self, rows: Rows, depth: int | Rows, elapsed_s: Floats) -> Floats:
        """Return the progress of the set, 0 to 1, at the middle of tracks.

        It is counted in tracks, or in time if a duration was requested.
        """
        if self.n_wanted is not None:
            return np.asarray((np.asarray(depth) + 0.5) / self.n_wanted)
        middle_s = elapsed_s + self.play_s[rows] / 2
        return np.minimum(middle_s / (self.request.duration_s or 1.0), 1.0)

    def count_repeats(self, paths: Rows, path: Rows, rows: Rows) -> Gains:
        """Count the occurrences of each row's artist in the last tracks of its path, within the
        gap.

        Parameters
        ----------
        paths : shape (n_paths, depth).
        path, rows : shape (n_rows,), the paths and the tracks that follow.
        """
        artist = self.table.artist[rows]
        repeats = np.zeros(len(rows), np.int64)
        for back in range(1, min(self.request.artist_gap, paths.shape[1] + 1)):
            repeats += self.table.artist[paths[:, -back]][path] == artist
        repeats[artist < 0] = 0
        return repeats

    def rate_path(self, path: Rows) -> float:
        """Return the value of one finished path; higher is better."""
        steps = np.zeros(len(path), np.int64)
        steps[1:] = self.rate_steps(path[:-1], path[1:])
        return float(self.rate_paths(path[None], steps[None])[0])

    def rate_paths(self, paths: Rows, steps: Gains) -> Floats:
        """Return the values of finished paths; higher is better.

        Parameters
        ----------
        paths : shape (n_paths, n_tracks), at least one track.
        steps : same shape, gain of the step into each track; 0 for the first.
        """
        n = paths.shape[1]
        play_s = self.play_s[paths]
        elapsed_s = np.cumsum(play_s, axis=1) - play_s
        gains = steps.sum(axis=1)
        gains = gains + self.rate_places(paths, np.arange(n), elapsed_s).sum(axis=1)
        for apart in range(1, min(self.request.artist_gap, n)):
            artists = self.table.artist[paths]
            is_same = (artists[:, apart:] == artists[:, :-apart]) & (artists[:, apart:] >= 0)
            gains = gains - PENALTY * is_same.sum(axis=1)
        lost = int(self.is_must.sum()) - self.is_must[paths].sum(axis=1)
        return self.settle(gains, n, elapsed_s[:, -1] + play_s[:, -1], paths[:, -1], lost)

    def settle(
        self, gains: Gains, n_tracks: int, played_s: Floats, last: Rows, lost: NDArray[np.intp]
    ) -> Floats:
        """Return the values of finished paths from their gains; all shapes (n_paths,).

        Parameters
        ----------
        n_tracks : of each path.
        played_s : from mixing in the first track to mixing out the last.
        last : the last tracks.
        lost : number of missing required tracks.
        """
        weight = (n_tracks - 1) * (1.0 - self.curve_weight) + n_tracks * self.curve_weight
        worth = gains / MICRO / weight if weight else np.ones(len(gains))
        missed = self._cost_of_missing(played_s + self.tail_s[last])
        return worth - missed - LOST_TRACK_COST * lost

    def _cost_of_missing(self, duration_s: Floats) -> Floats:
        if self.request.duration_s is None:
            return np.zeros_like(duration_s)
        miss = np.abs(duration_s / self.request.duration_s - 1.0)
        return MISS_WEIGHT * miss + BAD_MISS_WEIGHT * np.maximum(miss - FREE_MISS, 0.0)


def pose(table: TrackTable, request: SetRequest) -> SetProblem:
    """Remove excluded tracks and resolve the ids.

    Raises `InvalidOption` if a track asked for is not there, and ValueError if two tracks have the
    same id.
    """
    if len(set(table.ids)) != len(table):
        raise ValueError("tracks have duplicate ids")
    request.check_ids(table.ids)
    table = _leave_out(table, request.never)
    start, end, is_must = _find_wanted(table, request)
    usual_s = np.nanmedian(table.play_s) if (~np.isnan(table.play_s)).any() else UNKNOWN_PLAY_S
    return SetProblem(
        table=table,
        request=request,
        n_wanted=_count_wanted(table, request),
        curve=make_curve(request.curve, table.energy) if request.curve is not None else None,
        start=start,
        end=end,
        is_must=is_must,
        play_s=np.where(np.isnan(table.play_s), usual_s, table.play_s),
        tail_s=np.where(np.isnan(table.tail_s), 0.0, table.tail_s),
    )


def _leave_out(table: TrackTable, never: Sequence[str]) -> TrackTable:
    if not never:
        return table
    left_out = set(never)
    return table.take(
        np.array([row for row, i in enumerate(table.ids) if i not in left_out], np.intp)
    )


def _find_wanted(
    table: TrackTable, request: SetRequest
) -> tuple[int | None, int | None, NDArray[np.bool_]]:
    """Return the rows of the first and last track, and which others have to be played."""
    is_must = np.zeros(len(table), np.bool_)
    if not request.wanted:
        return None, None, is_must
    row_of = {track_id: row for row, track_id in enumerate(table.ids)}
    is_must[[row_of[track_id] for track_id in request.wanted]] = True
    start, end = (None if i is None else row_of[i] for i in (request.start, request.end))
    is_must[[row for row in (start, end) if row is not None]] = False
    return start, end, is_must


def _count_wanted(table: TrackTable, request: SetRequest) -> int | None:
    """Return the number of tracks of the set; None if its duration rules."""
    if request.duration_s is not None:
        return None
    return max(min(request.n_tracks or len(table), len(table)), len(request.wanted))
