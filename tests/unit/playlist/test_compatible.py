"""The tracks that mix with one track."""

from dataclasses import replace

import numpy as np
import pytest

from bench.made_library import make_library
from core.playlist.compatible import compatible
from core.playlist.harmony import HARMONY, codes_to_keys
from core.playlist.table import TrackTable
from core.playlist.track import PlaylistTrack
from core.playlist.transition import explain

TRACK = PlaylistTrack(
    "mine",
    tempo_bpm=126.0,
    camelot="8A",
    energy=6,
    duration_s=300.0,
    integrated_loudness_lufs=-9.0,
    timbre=np.linspace(-1, 1, 64, dtype=np.float32),
    vocals_s=((250.0, 290.0),),
)
ONE = TrackTable.from_tracks([TRACK])


@pytest.mark.parametrize("n", [100, 3000])
@pytest.mark.parametrize("limit", [1, 20])
def test_the_best_are_found_as_if_all_were_rated(n: int, limit: int) -> None:
    """Rating only the promising ones must not lose one that timbre and vocals bring forward."""
    table = make_library(n, seed=n)
    rows = np.arange(n)
    every = explain(ONE, np.zeros(n, np.intp), table, rows, max_pitch_percent=6.0)
    key = codes_to_keys(["8A"])[0]
    mixing = [
        step
        for step, row in zip(every, rows, strict=True)
        if HARMONY[key, table.key[row]] and abs(step.pitch_change_percent or 0.0) <= 6.0
    ]
    mixing.sort(key=lambda step: -step.score)
    assert compatible(ONE, table, limit=limit) == mixing[:limit]


def test_clashing_keys_and_far_tempi_are_left_out_and_unknown_ones_say_so() -> None:
    others = [
        replace(TRACK, id="twin"),
        replace(TRACK, id="clash", camelot="2A"),
        replace(TRACK, id="far", tempo_bpm=140.0),
        replace(TRACK, id="half", tempo_bpm=63.0),
        replace(TRACK, id="unknown", camelot=None, tempo_bpm=None),
        TRACK,
    ]
    found = compatible(ONE, TrackTable.from_tracks(others))
    assert [step.to_id for step in found] == ["twin", "half", "unknown"]
    assert {step.from_id for step in found} == {"mine"}
    assert "key unknown" in found[-1].reasons[0]


def test_a_track_of_unknown_key_and_tempo_mixes_with_all_as_well_as_it_can() -> None:
    others = TrackTable.from_tracks(
        [replace(TRACK, id=code, camelot=code) for code in ("1A", "8B")]
    )
    found = compatible(TrackTable.from_tracks([PlaylistTrack("x")]), others)
    assert [step.to_id for step in found] == ["1A", "8B"]


def test_timbre_brings_one_forward_that_else_comes_last() -> None:
    """Hundreds are slightly better in what is rated first: it must be looked at all the same."""
    assert TRACK.timbre is not None
    dull = replace(TRACK, timbre=-TRACK.timbre)
    others = [replace(dull, id=str(n)) for n in range(600)]
    others[321] = replace(TRACK, id="alike", tempo_bpm=126.5)
    assert compatible(ONE, TrackTable.from_tracks(others), limit=5)[0].to_id == "alike"


def test_an_empty_library_has_none() -> None:
    assert compatible(ONE, TrackTable.from_tracks([])) == []
    assert compatible(ONE, TrackTable.from_tracks([TRACK])) == []
