"""Putting tracks in order."""

from itertools import pairwise, permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.camelot import KEYS, key_to_camelot
from core.playlist.order import EXACT_LIMIT, PlaylistTrack, order_tracks
from core.playlist.transition import rate_transition

CODES = [key_to_camelot(key) for key in KEYS]


@st.composite
def track_lists(draw, max_size):
    facts = st.tuples(
        st.one_of(st.none(), st.floats(60, 200)), st.one_of(st.none(), st.sampled_from(CODES))
    )
    return [
        PlaylistTrack(str(number), f"T{number}", None, tempo, camelot)
        for number, (tempo, camelot) in enumerate(draw(st.lists(facts, max_size=max_size)))
    ]


def total(tracks):
    return sum(rate_transition(a, b).score for a, b in pairwise(tracks))


@settings(max_examples=40, deadline=None)
@given(track_lists(max_size=6))
def test_no_order_is_better_than_the_planned_one(tracks):
    plan = order_tracks(tracks)
    best = max(total(order) for order in permutations(tracks))
    assert total(plan.tracks) == pytest.approx(best, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(track_lists(max_size=30))
def test_every_track_is_played_once_and_the_plan_is_the_same_each_time(tracks):
    plan = order_tracks(tracks)
    assert sorted(track.id for track in plan.tracks) == sorted(track.id for track in tracks)
    assert order_tracks(tracks) == plan
    assert 0 <= plan.score <= 1
    ids = [track.id for track in plan.tracks]
    assert [(step.from_id, step.to_id) for step in plan.transitions] == list(pairwise(ids))


def test_nothing_and_one_track_are_playlists_too():
    assert order_tracks([]).tracks == ()
    one = order_tracks([PlaylistTrack("1", "T")])
    assert (len(one.tracks), one.transitions, one.score) == (1, (), 1.0)


@pytest.mark.parametrize("count", [4, EXACT_LIMIT, EXACT_LIMIT + 1])
def test_ties_keep_the_order_given(count):
    tracks = [PlaylistTrack(str(i), "T", None, 120.0, "8A") for i in range(count)]
    assert list(order_tracks(tracks).tracks) == tracks


def test_a_walk_round_the_wheel_is_found_beyond_the_exact_solver():
    """A greedy path that starts badly strands a track; improvement has to mend it."""
    walk = [PlaylistTrack(f"{n}A", "T", None, 120.0 + n, f"{n}A") for n in range(1, 13)]
    walk += [PlaylistTrack(f"{n}B", "T", None, 132.0, f"{n}B") for n in (12, 11, 10)]
    shuffled = [walk[(7 * i) % len(walk)] for i in range(len(walk))]
    assert order_tracks(shuffled).score >= total(walk) / (len(walk) - 1) - 1e-9


def test_improvement_comes_close_to_the_exact_answer_at_the_limit(monkeypatch):
    grid = product(("8A", "3B", "9A", "2A"), (120.0, 125.0, 174.0))
    tracks = [PlaylistTrack(str(i), "T", None, bpm, key) for i, (key, bpm) in enumerate(grid)]
    exact = order_tracks(tracks).score
    monkeypatch.setattr("core.playlist.order.EXACT_LIMIT", 0)
    assert order_tracks(tracks).score >= 0.97 * exact


def test_a_set_of_300_tracks_is_planned_in_seconds():
    tracks = [
        PlaylistTrack(str(i), "T", None, 100 + (37 * i) % 60, CODES[(11 * i) % 24])
        for i in range(300)
    ]
    plan = order_tracks(tracks)
    assert len({track.id for track in plan.tracks}) == 300
    assert plan.score > 0.9


def test_a_wrong_camelot_code_is_an_error_not_a_silent_clash():
    tracks = [PlaylistTrack("1", "T", camelot="8A"), PlaylistTrack("2", "T", camelot="Am")]
    with pytest.raises(ValueError):
        order_tracks(tracks)
