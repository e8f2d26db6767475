"""Planning a set: the choice and order of tracks, with reasons.

Up to `EXACT_LIMIT` tracks the plan is optimal; for more, a beam search finds a plan that is never
worse than the greedy one, and local search improves it. The plan is deterministic. Wishes that
cannot be met are relaxed, as few as possible, and reported.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.playlist.improve import improve_path
from core.playlist.problem import SetProblem, pose
from core.playlist.relax import NOTHING_TO_PLAY, find_broken, find_relaxed
from core.playlist.request import SetRequest
from core.playlist.search import Found, search
from core.playlist.successors import AllPairs, Shortlists
from core.playlist.table import TrackTable
from core.playlist.track import PlaylistTrack
from core.playlist.transition import explain
from core.playlist.windows import Floats, Rows
from stemcrate.schemas.sets import RelaxedWish, SetDescription, SetTrack
from stemcrate.schemas.transitions import TrackId, Transition

EXACT_LIMIT = 12
EXACT_LIMIT_WITH_ARTISTS = 8
ALL_PAIRS_LIMIT = 256
IMPROVED_LIMIT = 1000
"""Number of tracks above which local search is skipped: it rates every step between them."""
_WIDTH = 64
_GREEDY = 32
_LIBRARY_WIDTH = 16
_POOL = 96


@dataclass(frozen=True, slots=True)
class SetPlan:
    """Tracks in playing order.

    Parameters
    ----------
    ids : of the tracks, each once.
    starts_s : start of each track in seconds of the set; 0 for the first.
    duration_s : of the whole set, from mixing in the first track to the end of the last.
    wanted_energy : of the curve at each track; empty without a curve.
    transitions : between neighbours, one fewer than tracks.
    score : mean of the transitions' scores, 0 to 1; 1 without transitions.
    curve_fit : mean fit of the tracks to the curve, 0 to 1; None without a curve.
    relaxed : wishes that could not be met.
    """

    ids: tuple[TrackId, ...]
    starts_s: tuple[float, ...]
    duration_s: float
    wanted_energy: tuple[float, ...]
    transitions: tuple[Transition, ...]
    score: float
    curve_fit: float | None
    relaxed: tuple[RelaxedWish, ...]

    def describe(self) -> SetDescription:
        """Describe the plan as it is stored; its tracks are listed beside it."""
        return SetDescription(
            duration_s=self.duration_s,
            starts_s=list(self.starts_s),
            wanted_energy=list(self.wanted_energy),
            score=self.score,
            curve_fit=self.curve_fit,
            relaxed=list(self.relaxed),
            transitions=list(self.transitions),
        )


def describe_track(track: PlaylistTrack, *, index: int, starts_s: float) -> SetTrack:
    """Describe a track of a set; ``index`` is its place among the given tracks."""
    return SetTrack(
        index=index,
        title=track.title,
        artist=track.artist,
        tempo_bpm=track.tempo_bpm,
        tempo_confidence=track.tempo_confidence,
        camelot=track.camelot,
        key_confidence=track.key_confidence,
        energy=track.energy,
        duration_s=track.duration_s,
        starts_s=starts_s,
    )


def plan_set(table: TrackTable, request: SetRequest | None = None) -> SetPlan:
    """Plan a set.

    Parameters
    ----------
    table : the tracks to choose from; 0 or 1 tracks give a plan without transitions.
    request : the wishes; None plays every track in the best order.

    Raises
    ------
    InvalidOption : a requested track is not in the table, or the curve is invalid.
    """
    request = request or SetRequest()
    problem = pose(table, request)
    if not len(problem.table):
        return SetPlan((), (), 0.0, (), (), 1.0, None, (NOTHING_TO_PLAY,))
    path = find_path(problem)
    plan = _rate(problem, path)
    return replace(plan, relaxed=tuple(find_relaxed(problem, path, *_outcome(plan))))


def rate_order(
    table: TrackTable, ids: Sequence[TrackId], request: SetRequest | None = None
) -> SetPlan:
    """Rate tracks in a given order as a plan is rated.

    Parameters
    ----------
    table : holds all of ``ids``; what else it holds does not matter.
    ids : in playing order; a track may be played more than once. None gives an empty plan.
    request : wishes to rate it by. The chosen order takes precedence over a number of tracks, and
        over first, last, required and excluded tracks.

    Raises
    ------
    InvalidOption : the curve is invalid.
    """
    if not ids:
        return SetPlan((), (), 0.0, (), (), 1.0, None, ())
    row_of = {track_id: row for row, track_id in enumerate(table.ids)}
    played = list(dict.fromkeys(ids))
    wishes = replace(
        request or SetRequest(), n_tracks=None, start=None, end=None, must_play=(), never=()
    )
    problem = pose(table.take(np.array([row_of[i] for i in played], np.intp)), wishes)
    if wishes.duration_s is None:
        problem = replace(problem, n_wanted=len(ids))
    place_of = {track_id: place for place, track_id in enumerate(played)}
    path = np.array([place_of[track_id] for track_id in ids], np.intp)
    plan = _rate(problem, path)
    return replace(plan, relaxed=tuple(find_broken(problem, path, *_outcome(plan))))


def find_path(problem: SetProblem) -> Rows:
    """Find the rows of the tracks, in playing order."""
    n_tracks = len(problem.table)
    if n_tracks <= _exact_limit(problem):
        return search(problem, AllPairs(problem), width=None).path
    if n_tracks <= ALL_PAIRS_LIMIT:
        found = search(problem, AllPairs(problem), width=_WIDTH, n_greedy=_GREEDY)
    else:
        found = search(problem, Shortlists(problem), width=_LIBRARY_WIDTH, n_greedy=1)
    return _improve(problem, found)


def _exact_limit(problem: SetProblem) -> int:
    """Return the limit of exact planning; a larger artist gap makes more lines."""
    artist = problem.table.artist[problem.table.artist >= 0]
    has_repeats = len(np.unique(artist)) < len(artist)
    is_remembered = problem.request.artist_gap > 2 and has_repeats
    return EXACT_LIMIT_WITH_ARTISTS if is_remembered else EXACT_LIMIT


def _improve(problem: SetProblem, found: Found) -> Rows:
    if len(found.path) > IMPROVED_LIMIT:
        return found.path
    spares = found.rows[: max(_POOL, len(found.path))]
    improved = improve_path(problem, found.path, spares)
    return improved if problem.rate_path(improved) >= found.worth else found.path


def _outcome(plan: SetPlan) -> tuple[tuple[Transition, ...], Floats, float]:
    """Return what decides whether wishes are met."""
    return plan.transitions, np.array(plan.wanted_energy), plan.duration_s


def _rate(problem: SetProblem, path: Rows) -> SetPlan:
    """Return a path as a plan, without the wishes that it does not meet."""
    table, request = problem.table, problem.request
    transitions = tuple(
        explain(table, path[:-1], table, path[1:], max_pitch_percent=request.max_pitch_percent)
    )
    play_s = problem.play_s[path]
    starts_s = np.cumsum(play_s) - play_s
    duration_s = float(play_s.sum() + problem.tail_s[path[-1]])
    progress = problem.progress(path, np.arange(len(path)), starts_s)
    wanted = problem.curve.energy_at(progress) if problem.curve else np.zeros(0)
    scores = [transition.score for transition in transitions]
    fit = None
    if problem.curve is not None:
        fit = float(problem.curve.rate(table.energy[path], progress).mean())
    return SetPlan(
        ids=tuple(table.ids[row] for row in path),
        starts_s=tuple(starts_s.tolist()),
        duration_s=duration_s,
        wanted_energy=tuple(wanted.tolist()),
        transitions=transitions,
        score=sum(scores) / len(scores) if scores else 1.0,
        curve_fit=fit,
        relaxed=(),
    )
