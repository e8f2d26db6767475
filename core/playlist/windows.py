"""Mix windows of tracks, and the vocals in them.

Conventions: windows have the shape (n_tracks, 2), start and end in seconds of the track, NaN if
unknown. Vocal passages are rows (start, end), with the row of the track of each.
"""

import bisect
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WINDOW_BARS = 16
WINDOW_S = 30.0
LONGEST_SHARE = 1 / 3
"""Default window: 16 bars, or 30 s without a tempo, and at most a third of the track."""

MOST_PASSAGES = 8
"""Maximum number of passages of a window; from the eighth to the last they are merged."""

_TRACK_APART_S = 1e6

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def bar_lengths_s(tempo_bpm: Floats) -> Floats:
    """Return the length of a bar of four beats in seconds; NaN if the tempo is unknown."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(tempo_bpm > 0, 240.0 / tempo_bpm, np.nan)


def complete_windows(
    mix_in_s: Floats, mix_out_s: Floats, duration_s: Floats, first_downbeat_s: Floats, bar_s: Floats
) -> tuple[Floats, Floats]:
    """Complete unknown windows on the grid of first downbeat and bar.

    Known windows are unchanged, as they were found with the downbeats. A window that ends before it
    starts or lies outside its track counts as unknown. Without a duration the window for mixing out
    stays NaN.
    """
    with np.errstate(invalid="ignore"):
        length = np.where(np.isnan(bar_s), WINDOW_S, WINDOW_BARS * bar_s)
        length = np.fmin(length, duration_s * LONGEST_SHARE)
        # After a long intro the grid is extended back to the start.
        first = np.where(first_downbeat_s > length, first_downbeat_s % bar_s, first_downbeat_s)
        first = np.where(first >= 0, first, 0.0)
        is_in = _is_usable(mix_in_s, duration_s)
        is_out = _is_usable(mix_out_s, duration_s)
        default_in = np.stack([first, first + length], axis=1)
        last = duration_s - length
        last = np.where(last > first, first + np.floor((last - first) / bar_s) * bar_s, np.nan)
        last = np.where(np.isnan(last), duration_s - length, last)
        default_out = np.stack([last, duration_s], axis=1)
    starts = np.where(is_in[:, None], mix_in_s, default_in)
    ends = np.where(is_out[:, None], mix_out_s, default_out)
    return starts, ends


def _is_usable(windows: Floats, duration_s: Floats) -> NDArray[np.bool_]:
    inside = ~(windows[:, 0] >= duration_s)
    return (windows[:, 0] >= 0) & (windows[:, 1] > windows[:, 0]) & inside


def nearest_downbeat_s(time_s: float, downbeats_s: Sequence[float]) -> float:
    """Return the downbeat nearest to a time; ``downbeats_s`` is ascending and not empty."""
    after = bisect.bisect_left(downbeats_s, time_s)
    near = downbeats_s[max(0, after - 1) : after + 1]
    return min(near, key=lambda downbeat_s: abs(downbeat_s - time_s))


def merge_passages(passages_s: Floats, of_track: Rows) -> tuple[Floats, Rows]:
    """Merge overlapping passages and sort them by track and start.

    Parameters
    ----------
    passages_s : shape (n_passages, 2).
    of_track : shape (n_passages,), row of the track of each passage.
    """
    order = np.lexsort((passages_s[:, 0], of_track))
    passages_s, of_track = passages_s[order], of_track[order]
    if not len(order):
        return passages_s, of_track
    apart = passages_s + _TRACK_APART_S * of_track[:, None]
    latest_end = np.maximum.accumulate(apart[:, 1])
    is_first = np.concatenate([[True], apart[1:, 0] > latest_end[:-1]])
    starts = np.flatnonzero(is_first)
    ends = np.maximum.reduceat(passages_s[:, 1], starts)
    return np.stack([passages_s[starts, 0], ends], axis=1), of_track[starts]


def passages_in(windows: Floats, passages_s: Floats, of_track: Rows) -> Floats:
    """Return the vocal passages inside each track's window.

    Parameters
    ----------
    windows : shape (n_tracks, 2).
    passages_s, of_track : from `merge_passages`.

    Returns
    -------
    Shape (n_tracks, n_most, 2): passages in seconds from the window's start, padded with empty
    ones (0, 0). ``n_most`` is 1 to `MOST_PASSAGES`.
    """
    window = windows[of_track]
    start = np.maximum(passages_s[:, 0], window[:, 0]) - window[:, 0]
    end = np.minimum(passages_s[:, 1], window[:, 1]) - window[:, 0]
    is_inside = end > start
    start, end, of_track = start[is_inside], end[is_inside], of_track[is_inside]
    counts = np.bincount(of_track, minlength=len(windows))
    n_most = int(np.clip(counts.max(initial=1), 1, MOST_PASSAGES))
    place = np.arange(len(of_track)) - np.repeat(np.cumsum(counts) - counts, counts)
    cut = np.zeros((len(windows), n_most, 2))
    is_apart = place < n_most
    cut[of_track[is_apart], place[is_apart], 0] = start[is_apart]
    cut[of_track[is_apart], place[is_apart], 1] = end[is_apart]
    is_full = counts >= n_most
    cut[is_full, n_most - 1, 1] = end[np.cumsum(counts)[is_full] - 1]
    return cut
