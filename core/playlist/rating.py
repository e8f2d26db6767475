"""Rating of transitions: six scores from 0 to 1 and their weighted sum, vectorised.

| part | weight | 1 | falls to 0 |
|---|---|---|---|
| harmony | .35 | same key | table `core.playlist.harmony.RULES` |
| tempo | .25 | no pitch change | at the largest pitch change allowed, linearly |
| vocals | .15 | no vocal clash | at `CLASH_LIMIT_S` seconds of clash, linearly |
| energy | .10 | a step of at most 1 | at a step of 4, linearly |
| timbre | .10 | cosine of the descriptor vectors 1 | cosine −1 |
| loudness | .05 | equally loud | at a step of 6 LU, linearly |

Unknown values score `NEUTRAL`. This is the only implementation of the rules; a single transition is
a table of one row.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.playlist.harmony import HARMONY, NEUTRAL
from core.playlist.table import TrackTable
from core.playlist.tempo import pitch_change_percent
from core.playlist.windows import Floats, Rows


@dataclass(frozen=True, slots=True)
class StepRule:
    """A part that rates the step of a number from one track to the next.

    Parameters
    ----------
    fact : name of the number (`stemcrate.schemas.search.PlannedFacts`).
    weight : how much the part counts.
    free, limit : the largest step that is rated 1, and the smallest that is rated 0.
    """

    fact: str
    weight: float
    free: float
    limit: float


STEP_RULES = {
    "energy": StepRule("energy", weight=0.10, free=1.0, limit=4.0),
    "loudness": StepRule("integrated_loudness_lufs", weight=0.05, free=0.0, limit=6.0),
}
"""The parts that compare a number, by their name in `stemcrate.schemas.transitions.Transition`."""

WEIGHTS = {
    "harmony": 0.35,
    "tempo": 0.25,
    "vocals": 0.15,
    "timbre": 0.10,
    **{part: rule.weight for part, rule in STEP_RULES.items()},
}
"""Weight of each part; the sum is 1."""

DETAIL_WEIGHT = WEIGHTS["vocals"] + WEIGHTS["timbre"]
"""Upper bound of what `rate_details` adds to the score of `rate_outline`."""

CLASH_LIMIT_S = 8.0


@dataclass(frozen=True, slots=True)
class Outline:
    """Parts that need one number for each track; shapes (n_pairs,).

    ``score`` is their weighted sum, without the details; ``steps`` are the parts of `STEP_RULES`.
    """

    score: Floats
    harmony: Floats
    tempo: Floats
    steps: Mapping[str, Floats]
    pitch_change_percent: Floats


@dataclass(frozen=True, slots=True)
class Details:
    """Parts that need windows and vectors; shapes (n_pairs,).

    ``score`` is their weighted sum. ``overlap_s`` is the length of the overlap in seconds of the
    outgoing track, ``vocal_clash_s`` the time in it with vocals in both; NaN if unknown.
    """

    score: Floats
    timbre: Floats
    vocals: Floats
    overlap_s: Floats
    vocal_clash_s: Floats


def rate_outline(
    outgoing: TrackTable,
    out_rows: Rows,
    incoming: TrackTable,
    in_rows: Rows,
    *,
    max_pitch_percent: float,
) -> Outline:
    """Rate harmony, tempo and the steps of numbers of pairs of tracks.

    Parameters
    ----------
    out_rows, in_rows : shape (n_pairs,), or one of them (1,).
    max_pitch_percent : pitch change that scores 0.
    """
    pitch = pitch_change_percent(outgoing.log_tempo[out_rows], incoming.log_tempo[in_rows])
    harmony = HARMONY[outgoing.key[out_rows], incoming.key[in_rows]]
    tempo = _fall(np.abs(pitch), max_pitch_percent)
    steps = {
        part: _rate_step(outgoing, out_rows, incoming, in_rows, rule)
        for part, rule in STEP_RULES.items()
    }
    score = WEIGHTS["harmony"] * harmony + WEIGHTS["tempo"] * tempo
    for part, rated in steps.items():
        score = score + WEIGHTS[part] * rated
    return Outline(score, harmony, tempo, steps, pitch)


def rate_details(
    outgoing: TrackTable,
    out_rows: Rows,
    incoming: TrackTable,
    in_rows: Rows,
    pitch_percent: Floats,
) -> Details:
    """Rate timbre and vocals of pairs of tracks.

    Parameters
    ----------
    out_rows, in_rows : shape (n_pairs,), or one of them (1,).
    pitch_percent : shape (n_pairs,), of the incoming tracks; NaN means unchanged.
    """
    speed = np.where(np.isnan(pitch_percent), 1.0, 1.0 + pitch_percent / 100.0)
    timbre = _known((1.0 + _cosines(outgoing, out_rows, incoming, in_rows)) / 2.0)
    overlap_s = _overlap_s(outgoing, out_rows, incoming, in_rows, speed)
    clash_s = _clash_s(outgoing, out_rows, incoming, in_rows, speed, overlap_s)
    vocals = _fall(clash_s, CLASH_LIMIT_S)
    score = WEIGHTS["timbre"] * timbre + WEIGHTS["vocals"] * vocals
    return Details(score, timbre, vocals, overlap_s, clash_s)


def _fall(value: Floats, limit: float) -> Floats:
    """Return 1 at 0, falling linearly to 0 at the limit; `NEUTRAL` for NaN."""
    with np.errstate(over="ignore"):  # infinitely far beyond a tiny limit is 0, too
        return _known(np.maximum(1.0 - value / limit, 0.0))


def _rate_step(
    outgoing: TrackTable, out_rows: Rows, incoming: TrackTable, in_rows: Rows, rule: StepRule
) -> Floats:
    step = np.abs(incoming.numbers[rule.fact][in_rows] - outgoing.numbers[rule.fact][out_rows])
    return _fall(np.maximum(step - rule.free, 0.0), rule.limit - rule.free)


def _known(score: Floats) -> Floats:
    return np.where(np.isnan(score), NEUTRAL, score)


def _cosines(outgoing: TrackTable, out_rows: Rows, incoming: TrackTable, in_rows: Rows) -> Floats:
    if not outgoing.timbre.shape[1] or not incoming.timbre.shape[1]:
        return np.full(np.broadcast_shapes(out_rows.shape, in_rows.shape), np.nan)
    first, second = np.broadcast_arrays(
        outgoing.timbre[out_rows], incoming.timbre[in_rows], subok=False
    )
    cosines: Floats = np.einsum("ij,ij->i", first, second).astype(np.float64)
    return np.clip(cosines, -1.0, 1.0)


def _overlap_s(
    outgoing: TrackTable, out_rows: Rows, incoming: TrackTable, in_rows: Rows, speed: Floats
) -> Floats:
    """Return the length of the shorter window, in whole bars if it holds at least one."""
    going = outgoing.mix_out_s[out_rows]
    coming = incoming.mix_in_s[in_rows]
    overlap_s = np.minimum(going[:, 1] - going[:, 0], (coming[:, 1] - coming[:, 0]) / speed)
    bar_s = outgoing.bar_s[out_rows]
    # Slightly more, so that 16 bars do not become 15 by rounding.
    in_bars_s = np.floor(overlap_s / bar_s + 1e-6) * bar_s
    return np.where(in_bars_s > 0, in_bars_s, overlap_s)


def _clash_s(
    outgoing: TrackTable,
    out_rows: Rows,
    incoming: TrackTable,
    in_rows: Rows,
    speed: Floats,
    overlap_s: Floats,
) -> Floats:
    going = outgoing.vocals_out[out_rows][:, :, None, :]
    coming = (incoming.vocals_in[in_rows] / speed[:, None, None])[:, None, :, :]
    start = np.maximum(going[..., 0], coming[..., 0])
    end = np.minimum(np.minimum(going[..., 1], coming[..., 1]), overlap_s[:, None, None])
    clash_s = np.maximum(end - start, 0.0).sum(axis=(1, 2))
    is_known = outgoing.has_vocals[out_rows] & incoming.has_vocals[in_rows]
    is_quiet = _is_quiet(outgoing, out_rows, going) | _is_quiet(incoming, in_rows, coming)
    # If one window has no vocals there is no clash, even if the other is unknown.
    return np.where(is_known | (is_quiet & ~np.isnan(overlap_s)), clash_s, np.nan)


def _is_quiet(table: TrackTable, rows: Rows, passages: Floats) -> NDArray[np.bool_]:
    is_quiet: NDArray[np.bool_] = table.has_vocals[rows] & ~passages.any(axis=(1, 2, 3))
    return is_quiet
