"""Tracks of a library that mix with a given track, best first."""

import numpy as np

from core.playlist.harmony import HARMONY
from core.playlist.rating import DETAIL_WEIGHT, rate_details, rate_outline
from core.playlist.table import TrackTable
from core.playlist.tempo import pitch_change_percent
from core.playlist.transition import explain
from core.playlist.windows import Floats, Rows
from stemcrate.schemas.sets import DEFAULT_MAX_PITCH_PERCENT
from stemcrate.schemas.transitions import Transition

_FIRST_LOOK = 256


def compatible(
    outgoing: TrackTable,
    table: TrackTable,
    *,
    limit: int = 50,
    max_pitch_percent: float = DEFAULT_MAX_PITCH_PERCENT,
) -> list[Transition]:
    """Find the tracks that mix well after one.

    Parameters
    ----------
    outgoing : a table of one track; a track of the other table with its id is left out.
    table : the tracks to choose from.
    limit : maximum number of transitions.
    max_pitch_percent : largest pitch change in percent; more than zero.

    Returns
    -------
    Transitions, best first, ties in the table's order: those without a key clash and within the
    pitch limit. Tracks of unknown key or tempo may be included; their transitions say so.

    Raises
    ------
    ValueError : the timbre of ``outgoing`` has another length than the table's.
    """
    rows = _find_mixable(outgoing, table, max_pitch_percent)
    # One more than requested, as the track itself may be included.
    found = _find_best(outgoing, table, rows, limit + 1, max_pitch_percent)
    best = np.array([row for row in found if table.ids[row] != outgoing.ids[0]][:limit], np.intp)
    origin = np.zeros(len(best), np.intp)
    return explain(outgoing, origin, table, best, max_pitch_percent=max_pitch_percent)


def _find_mixable(outgoing: TrackTable, table: TrackTable, max_pitch_percent: float) -> Rows:
    key = outgoing.key[0]
    rows = np.flatnonzero((HARMONY[key] > 0)[table.key])
    pitch = pitch_change_percent(outgoing.log_tempo[0], table.log_tempo[rows])
    return rows[~(np.abs(pitch) > max_pitch_percent)]


def _find_best(
    outgoing: TrackTable, table: TrackTable, rows: Rows, limit: int, max_pitch_percent: float
) -> Rows:
    """Find the best rows; details are rated only where they can change the result."""
    origin = np.zeros(1, np.intp)
    outline = rate_outline(outgoing, origin, table, rows, max_pitch_percent=max_pitch_percent)

    def rate(places: Rows) -> Floats:
        pitch = outline.pitch_change_percent[places]
        return (
            outline.score[places] + rate_details(outgoing, origin, table, rows[places], pitch).score
        )

    scores = np.full(len(rows), -np.inf)
    first_look = max(_FIRST_LOOK, 2 * limit)
    promising = np.arange(len(rows))
    if len(rows) > first_look:
        looked = np.argpartition(-outline.score, first_look)[:first_look]
        scores[looked] = rate(looked)
        bar = np.partition(scores[looked], -limit)[-limit]
        promising = np.flatnonzero((outline.score + DETAIL_WEIGHT >= bar) & np.isinf(scores))
    scores[promising] = rate(promising)
    return rows[np.argsort(-scores, kind="stable")[:limit]]
