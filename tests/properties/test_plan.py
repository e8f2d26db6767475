"""A planned set against every other set, and against greed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.made_library import go_greedily, make_library
from core.playlist.plan import EXACT_LIMIT, find_path, plan_set
from core.playlist.problem import pose
from core.playlist.request import SetRequest
from core.playlist.search import search
from core.playlist.successors import AllPairs, Shortlists
from core.playlist.table import TrackTable
from core.playlist.track import PlaylistTrack
from stemcrate.schemas.transitions import TrackId
from tests.set_planning import Paths, Reckoning, all_paths, playlist_tracks

CURVE = ((0.0, 3.0), (0.6, 9.0), (1.0, 5.0))

requests = st.builds(
    SetRequest,
    curve=st.sampled_from([None, CURVE]),
    artist_gap=st.sampled_from([0, 2, 3]),
    max_pitch_percent=st.sampled_from([3.0, 6.0]),
)


def places(tracks: list[PlaylistTrack], ids: tuple[TrackId, ...]) -> Paths:
    row_of = {track.id: row for row, track in enumerate(tracks)}
    return np.array([[row_of[track_id] for track_id in ids]], np.intp)


@settings(max_examples=60, deadline=None)
@given(playlist_tracks(min_size=1, max_size=6), requests, st.data())
def test_no_set_of_so_many_tracks_is_better(
    tracks: list[PlaylistTrack], request: SetRequest, data: st.DataObject
) -> None:
    """A state of the solver that forgets what a rule still needs loses the best set."""
    n_tracks = data.draw(st.integers(1, len(tracks)))
    request = _with(request, n_tracks=n_tracks)
    plan = plan_set(TrackTable.from_tracks(tracks), request)
    reckoning = Reckoning(tracks, request)
    best = reckoning.rate(all_paths(len(tracks), n_tracks)).max()
    assert reckoning.rate(places(tracks, plan.ids))[0] == pytest.approx(best, abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(playlist_tracks(min_size=1, max_size=5), requests, st.floats(60.0, 1500.0))
def test_no_set_of_that_duration_is_better(
    tracks: list[PlaylistTrack], request: SetRequest, duration_s: float
) -> None:
    """Sets of several lengths have to be weighed by the same measure."""
    request = _with(request, duration_s=duration_s)
    plan = plan_set(TrackTable.from_tracks(tracks), request)
    reckoning = Reckoning(tracks, request)
    lengths = range(1, len(tracks) + 1)
    best = max(reckoning.rate(all_paths(len(tracks), n)).max() for n in lengths)
    assert reckoning.rate(places(tracks, plan.ids))[0] == pytest.approx(best, rel=1e-6, abs=1e-4)


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("n_tracks", [5, 7])
def test_no_set_under_tight_rules_is_better(seed: int, n_tracks: int) -> None:
    """Few artists and tempi apart: what was played two tracks ago decides, and one rule kept is
    worth any number of good transitions."""
    rng = np.random.default_rng(seed)
    tracks = [
        PlaylistTrack(
            str(number),
            artist=rng.choice(["X", "Y", "Z"]),
            tempo_bpm=float(rng.choice([120.0, 126.0, 132.0, 138.0])),
            camelot=str(rng.choice(["8A", "9A", "3B", "2A"])),
            energy=float(rng.integers(1, 11)),
            duration_s=200.0,
        )
        for number in range(7)
    ]
    request = SetRequest(n_tracks=n_tracks, artist_gap=3)
    plan = plan_set(TrackTable.from_tracks(tracks), request)
    reckoning = Reckoning(tracks, request)
    best = reckoning.rate(all_paths(7, n_tracks)).max()
    assert reckoning.rate(places(tracks, plan.ids))[0] == pytest.approx(best, abs=1e-4)


@settings(max_examples=6, deadline=None)
@given(playlist_tracks(min_size=8, max_size=8), st.sampled_from([None, CURVE]))
def test_no_order_of_eight_tracks_is_better(
    tracks: list[PlaylistTrack], curve: tuple[tuple[float, float], ...] | None
) -> None:
    """The exact answer is promised up to here at least."""
    request = SetRequest(curve=curve)
    plan = plan_set(TrackTable.from_tracks(tracks), request)
    reckoning = Reckoning(tracks, request)
    best = reckoning.rate(all_paths(8, 8)).max()
    assert reckoning.rate(places(tracks, plan.ids))[0] == pytest.approx(best, abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(playlist_tracks(min_size=EXACT_LIMIT + 1, max_size=30), requests, st.data())
def test_greed_is_never_better(
    tracks: list[PlaylistTrack], request: SetRequest, data: st.DataObject
) -> None:
    """A beam that is cut by what lines have gained so far may lose the line that greed takes."""
    n_tracks = data.draw(st.integers(1, len(tracks)))
    problem = pose(TrackTable.from_tracks(tracks), _with(request, n_tracks=n_tracks))
    greedy = problem.rate_path(go_greedily(problem))
    assert problem.rate_path(find_path(problem)) >= greedy
    narrow = search(problem, AllPairs(problem), width=2, n_greedy=1)
    assert narrow.worth == pytest.approx(problem.rate_path(narrow.path), abs=1e-9)
    assert narrow.worth >= greedy


@pytest.mark.parametrize(("n", "seed"), [(40, 1), (256, 2), (257, 3), (1000, 4), (3000, 5)])
@pytest.mark.parametrize(
    "request_", [SetRequest(n_tracks=14), SetRequest(n_tracks=14, curve="peak", artist_gap=3)]
)
def test_greed_is_never_better_in_a_library(n: int, seed: int, request_: SetRequest) -> None:
    """Short lists must not leave out the track that greed would take."""
    problem = pose(make_library(n, seed=seed), request_)
    greedy = problem.rate_path(go_greedily(problem))
    assert problem.rate_path(find_path(problem)) >= greedy
    assert search(problem, Shortlists(problem), width=1, n_greedy=1).worth >= greedy


LENGTHS: list[dict[str, Any]] = [{}, {"n_tracks": 1}, {"n_tracks": 9}, {"duration_s": 900.0}]


@settings(max_examples=40, deadline=None)
@given(playlist_tracks(max_size=16), requests, st.data())
def test_wishes_for_tracks_are_met(
    tracks: list[PlaylistTrack], request: SetRequest, data: st.DataObject
) -> None:
    """Start, end, must and never hold at every size, and no track is played twice."""
    ids = data.draw(st.permutations([track.id for track in tracks]))
    start, end = (ids[0], ids[1]) if len(ids) > 1 else (None, None)
    request = _with(
        request,
        start=start,
        end=end,
        must_play=tuple(ids[2:4]),
        never=tuple(ids[4:6]),
        **data.draw(st.sampled_from(LENGTHS)),
    )
    plan = plan_set(TrackTable.from_tracks(tracks), request)
    assert len(set(plan.ids)) == len(plan.ids)
    if start is not None:
        assert (plan.ids[0], plan.ids[-1]) == (start, end)
    assert set(request.must_play) <= set(plan.ids)
    assert not set(request.never) & set(plan.ids)
    pairs = [(step.from_id, step.to_id) for step in plan.transitions]
    assert pairs == [*zip(plan.ids[:-1], plan.ids[1:], strict=True)]
    assert 0 <= plan.score <= 1 + 1e-9
    assert plan_set(TrackTable.from_tracks(tracks), request) == plan


def _with(request: SetRequest, **changes: Any) -> SetRequest:
    return replace(request, **changes)
