"""Planning sets."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from bench.made_library import make_library
from core.errors import InvalidOption
from core.playlist.plan import EXACT_LIMIT, SetPlan, plan_set, rate_order
from core.playlist.request import SetRequest
from core.playlist.table import TrackTable
from core.playlist.track import PlaylistTrack

PLAIN = PlaylistTrack("0", tempo_bpm=120.0, camelot="8A", energy=5, duration_s=240.0)


def plan(tracks: list[PlaylistTrack], **wishes: Any) -> SetPlan:
    return plan_set(TrackTable.from_tracks(tracks), SetRequest(**wishes))


def test_an_empty_library_gives_an_empty_set_that_says_so() -> None:
    empty = plan([], duration_s=3600.0)
    assert (empty.ids, empty.transitions, empty.duration_s) == ((), (), 0.0)
    assert [relaxed.wish for relaxed in empty.relaxed] == ["tracks"]
    assert plan([PLAIN], never=("0",)).ids == ()


def test_one_track_is_a_set() -> None:
    one = plan([PLAIN], duration_s=3600.0, curve=((0.0, 9.0),))
    assert (one.ids, one.transitions, one.score) == (("0",), (), 1.0)
    assert one.starts_s == (0.0,)
    assert one.duration_s == pytest.approx(240.0)
    assert {relaxed.wish for relaxed in one.relaxed} == {"duration_s", "curve"}


def test_every_track_is_played_where_no_length_is_asked_for() -> None:
    walk = [replace(PLAIN, id=f"{n}A", camelot=f"{n}A", tempo_bpm=110.0 + n) for n in range(1, 13)]
    walk += [replace(PLAIN, id=f"{n}B", camelot=f"{n}B", tempo_bpm=122.0) for n in (12, 11, 10)]
    assert len(walk) > EXACT_LIMIT
    shuffled = [walk[(7 * place) % len(walk)] for place in range(len(walk))]
    straight = plan_set(TrackTable.from_tracks(walk)).score
    found = plan_set(TrackTable.from_tracks(shuffled))
    assert sorted(found.ids) == sorted(track.id for track in walk)
    assert found.score >= straight - 1e-6


@pytest.mark.parametrize("n", [4, EXACT_LIMIT, EXACT_LIMIT + 1, 40])
def test_ties_keep_the_order_given(n: int) -> None:
    tracks = [replace(PLAIN, id=str(number)) for number in range(n)]
    assert plan(tracks).ids == tuple(str(number) for number in range(n))


def test_an_hour_from_a_library() -> None:
    table = make_library(2000)
    hour = plan_set(table, SetRequest(duration_s=3600.0, curve="peak", artist_gap=4))
    assert hour.duration_s == pytest.approx(3600.0, rel=0.02)
    assert hour.relaxed == ()
    assert hour.score > 0.85
    assert hour.curve_fit is not None
    assert hour.curve_fit > 0.9
    artists = [table.artist[table.ids.index(track_id)] for track_id in hour.ids]
    for place in range(len(artists)):
        assert len({*artists[place : place + 4]}) == len(artists[place : place + 4])
    assert all(a < b for a, b in pairwise(hour.starts_s))
    assert all(step.harmony > 0 for step in hour.transitions)


def test_a_curve_that_cannot_be_met_gives_the_nearest_set_and_says_by_how_much() -> None:
    tracks = [replace(PLAIN, id=str(energy), energy=energy) for energy in range(1, 6)]
    found = plan(tracks, n_tracks=3, curve=((0.0, 9.0),))
    assert sorted(found.ids) == ["3", "4", "5"]
    (relaxed,) = found.relaxed
    assert relaxed.wish == "curve"
    assert relaxed.words == (
        "3 of 3 tracks are off the curve, '3' the furthest: 3.0 where 9.0 is wanted."
    )


def test_tracks_of_unknown_energy_do_not_make_a_curve() -> None:
    found = plan([PLAIN, replace(PLAIN, id="1", energy=None)], curve="flat")
    assert [relaxed.words for relaxed in found.relaxed] == ["1 of 2 tracks are of unknown energy."]


def test_a_pitch_change_beyond_the_limit_is_the_last_resort_and_named() -> None:
    tempi = (120.0, 150.0, 122.0)
    tracks = [replace(PLAIN, id=str(n), tempo_bpm=tempo) for n, tempo in enumerate(tempi)]
    assert plan(tracks, n_tracks=2).relaxed == ()
    (relaxed,) = plan(tracks).relaxed
    assert relaxed.wish == "max_pitch_percent"
    assert "±6 % was allowed" in relaxed.words
    assert not plan(tracks, max_pitch_percent=25.0).relaxed


@pytest.mark.parametrize("n_tracks", [5, 40])
def test_tracks_without_tempo_or_key_are_planned_last_and_named(n_tracks: int) -> None:
    """A silent file took a place in the middle of the set."""
    rest = [
        replace(PLAIN, id=str(n), camelot=f"{n % 12 + 1}A", tempo_bpm=110.0 + n % 30)
        for n in range(n_tracks)
    ]
    silence = replace(PLAIN, id="silence", title="Silence", tempo_bpm=0.0, camelot=None)
    drone = replace(PLAIN, id="drone", tempo_bpm=None)
    drums = replace(PLAIN, id="drums", camelot=None)
    found = plan([silence, drone, *rest, drums])
    assert {*found.ids[-3:]} == {"silence", "drone", "drums"}
    named = {item.words for item in found.relaxed if item.wish == "tracks"}
    assert named == {
        "'Silence' is planned last: its tempo and key are unknown.",
        "'drone' is planned last: its tempo is unknown.",
        "'drums' is planned last: its key is unknown.",
    }
    assert plan([silence, *rest], start="silence").ids[0] == "silence"
    assert plan([silence]).relaxed == ()


def test_an_artist_who_made_everything_is_played_again_and_named() -> None:
    tracks = [replace(PLAIN, id=str(n), artist="One") for n in range(3)]
    relaxed = plan(tracks, artist_gap=2).relaxed
    assert [item.wish for item in relaxed] == ["artist_gap", "artist_gap"]


def test_a_library_too_small_gives_all_it_has() -> None:
    tracks = [replace(PLAIN, id=str(n)) for n in range(3)]
    found = plan(tracks, duration_s=3600.0)
    assert len(found.ids) == 3
    assert [item.wish for item in found.relaxed] == ["duration_s"]
    found = plan(tracks, n_tracks=7)
    assert [item.words for item in found.relaxed] == ["3 tracks are there; 7 were asked for."]


def test_more_tracks_that_must_be_played_than_were_asked_for() -> None:
    tracks = [replace(PLAIN, id=str(n)) for n in range(20)]
    must = ("3", "17", "9")
    found = plan(tracks, n_tracks=2, must_play=must)
    assert sorted(found.ids) == sorted(must)
    assert [item.wish for item in found.relaxed] == ["n_tracks"]
    found = plan(tracks, duration_s=300.0, must_play=must)
    assert set(must) <= set(found.ids)
    assert [item.wish for item in found.relaxed] == ["duration_s"]


def test_tracks_of_unknown_duration_count_as_usual_ones() -> None:
    tracks = [replace(PLAIN, id="0"), replace(PLAIN, id="1", duration_s=None)]
    found = plan(tracks, duration_s=400.0, end="1", start="0")
    assert found.starts_s[1] == pytest.approx(found.duration_s - found.starts_s[1])
    assert "unknown duration" in found.relaxed[-1].words
    nothing_known = plan([PlaylistTrack(str(n)) for n in range(15)], duration_s=600.0)
    assert len(nothing_known.ids) in (2, 3)


def test_vocals_decide_between_two_that_are_else_alike() -> None:
    """Key and tempo alone would follow the order given, into two voices at once."""
    sung = replace(PLAIN, vocals_s=((0.0, 240.0),))
    tracks = [sung, replace(sung, id="sung"), replace(PLAIN, id="quiet", vocals_s=())]
    found = plan(tracks, n_tracks=2, start="0")
    assert found.ids == ("0", "quiet")


def test_two_tracks_of_one_id_are_a_mistake() -> None:
    """Wishes name tracks by their ids: the wrong one of two would be played."""
    with pytest.raises(ValueError, match="duplicate ids"):
        plan([PLAIN, PLAIN])


def test_a_track_that_is_not_there_is_an_error() -> None:
    with pytest.raises(InvalidOption, match="'x'"):
        plan([PLAIN], must_play=("x",))


def test_three_hundred_tracks_are_put_in_order() -> None:
    """Lines that take the best first leave what nobody wanted for the end."""
    codes = [f"{hour}{ring}" for hour in range(1, 13) for ring in "AB"]
    tracks = [
        replace(PLAIN, id=str(n), tempo_bpm=100.0 + (37 * n) % 60, camelot=codes[(11 * n) % 24])
        for n in range(300)
    ]
    found = plan_set(TrackTable.from_tracks(tracks))
    assert len({*found.ids}) == 300
    assert np.mean([step.harmony for step in found.transitions]) > 0.85
    assert np.mean([step.tempo for step in found.transitions]) > 0.6


@pytest.mark.parametrize(("n", "seed"), [(200, 4), (1000, 7)])
def test_tracks_that_must_be_played_are_led_up_to(n: int, seed: int) -> None:
    """Left for the end, or played one after the other at once, they break a rule here."""
    must = np.random.default_rng(seed).choice(n, 3, replace=False)
    request = SetRequest(n_tracks=14, curve="peak", must_play=tuple(f"t{row}" for row in must))
    found = plan_set(make_library(n, seed=seed), request)
    assert set(request.must_play) <= set(found.ids)
    assert "max_pitch_percent" not in [relaxed.wish for relaxed in found.relaxed]


@pytest.mark.parametrize("wishes", [{}, {"n_tracks": 20, "curve": "wave"}, {"duration_s": 3600.0}])
def test_the_order_of_a_plan_is_rated_as_the_plan_was(wishes: dict[str, Any]) -> None:
    """Taking a track away and putting it back gave the set another score."""
    table = make_library(40)
    request = SetRequest(curve=wishes.pop("curve", "peak"), artist_gap=2, **wishes)
    planned = plan_set(table, request)
    assert rate_order(table, planned.ids, request) == planned


def test_another_order_keeps_the_curve_and_loses_the_score() -> None:
    table = make_library(40)
    request = SetRequest(n_tracks=10, curve="warm-up", start=str(make_library(40).ids[3]))
    planned = plan_set(table, request)
    turned = rate_order(table, planned.ids[::-1], request)
    assert turned.ids == planned.ids[::-1]
    assert turned.wanted_energy == planned.wanted_energy
    assert turned.curve_fit is not None
    assert planned.curve_fit is not None
    assert turned.curve_fit < planned.curve_fit
    assert turned.score < planned.score
    assert all(relaxed.wish != "n_tracks" for relaxed in turned.relaxed)


def test_a_track_that_is_played_twice_is_rated_twice() -> None:
    table = TrackTable.from_tracks([PLAIN, replace(PLAIN, id="1")])
    rated = rate_order(table, ["0", "1", "0"], SetRequest(curve=((0.0, 1.0), (1.0, 10.0))))
    assert [(step.from_id, step.to_id) for step in rated.transitions] == [("0", "1"), ("1", "0")]
    assert len(rated.starts_s) == len(rated.wanted_energy) == 3
    assert rated.duration_s == pytest.approx(rated.starts_s[-1] + 240.0)
    assert rate_order(table, []).ids == ()


def test_an_order_by_hand_is_told_what_it_breaks_but_not_where_tracks_belong() -> None:
    """ "is planned last" stood beside a track of unknown key that was put first by hand."""
    tracks = [replace(PLAIN, camelot=None), replace(PLAIN, id="1", tempo_bpm=150.0)]
    rated = rate_order(TrackTable.from_tracks(tracks), ["0", "1"], SetRequest(duration_s=3600.0))
    assert [relaxed.wish for relaxed in rated.relaxed] == ["duration_s", "max_pitch_percent"]
