"""Operations on beat grids, against numbers worked out by hand."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from core.errors import GridLocked, InvalidOption
from core.library.corrections.grid import beats_of, downbeats_of, grid_of, lay_grid, places
from core.library.corrections.operations import operate, set_tempo
from stemcrate.schemas.corrections import CorrectedGrid, GridOperation
from stemcrate.schemas.facts import GridSegment, TrackFacts

PARSE: TypeAdapter[Any] = TypeAdapter(GridOperation)


def change(grid: CorrectedGrid | None, op: str, /, **fields: Any) -> CorrectedGrid:
    heard_s = fields.pop("heard_s", None)
    facts = TrackFacts(duration_s=60.0, first_downbeat_s=heard_s)
    return operate(PARSE.validate_python({"op": op, **fields}), grid, facts)


def even(anchor_s: float = 1.0, tempo_bpm: float = 120.0, beats_per_bar: int = 4) -> CorrectedGrid:
    return lay_grid(anchor_s, tempo_bpm, beats_per_bar, 60.0)


def two_stretches() -> CorrectedGrid:
    """12 beats at 120 BPM from 0.5 s, on beat 3 of the bar; then 8 at 100 BPM, bars going on."""
    return CorrectedGrid(
        tempo_bpm=120.0,
        beats_per_bar=4,
        segments=[
            GridSegment(start_s=0.5, tempo_bpm=120.0, n_beats=12, first_beat_in_bar=3),
            GridSegment(start_s=6.5, tempo_bpm=100.0, n_beats=8, first_beat_in_bar=3),
        ],
    )


def test_an_even_grid_covers_the_recording() -> None:
    grid = even(anchor_s=1.75)
    assert beats_of(grid)[:4] == [0.25, 0.75, 1.25, 1.75]
    assert downbeats_of(grid)[:2] == [1.75, 3.75]
    assert beats_of(grid)[-1] == 59.75
    assert grid.segments == [
        GridSegment(start_s=0.25, tempo_bpm=120.0, n_beats=120, first_beat_in_bar=2)
    ]


def test_a_beat_on_the_end_is_outside() -> None:
    assert beats_of(lay_grid(0.0, 120.0, 4, 60.0))[-1] == 59.5


@pytest.mark.parametrize(
    ("by", "tempo_bpm", "beats_s", "downbeats_s"),
    [
        ("2", 240.0, [0.0, 0.25, 0.5], [0.0, 1.0, 2.0]),
        ("1/2", 60.0, [0.0, 1.0, 2.0], [1.0, 5.0, 9.0]),
        ("3/2", 180.0, [0.0, 1 / 3, 2 / 3], [1.0, 1 + 4 / 3, 1 + 8 / 3]),
        ("2/3", 80.0, [0.25, 1.0, 1.75], [1.0, 4.0, 7.0]),
    ],
)
def test_a_scaled_tempo_keeps_the_downbeat(
    by: str, tempo_bpm: float, beats_s: list[float], downbeats_s: list[float]
) -> None:
    grid = change(even(), "scale", by=by)
    assert grid.tempo_bpm == tempo_bpm
    assert beats_of(grid)[:3] == pytest.approx(beats_s, abs=2e-6)
    assert downbeats_of(grid)[:3] == pytest.approx(downbeats_s, abs=2e-6)


def test_the_first_heard_downbeat_is_the_anchor() -> None:
    """Around 0 s, a change of tempo would move the beats of a song with a long silence first."""
    grid = change(even(anchor_s=0.0), "scale", by="3/2", heard_s=30.0)
    assert 30.0 in downbeats_of(grid)
    assert 31.0 in [round(beat, 6) for beat in beats_of(grid)]


def test_scaling_stretches_counts_their_bars_on() -> None:
    double = change(two_stretches(), "scale", by="2")
    assert double.segments == [
        GridSegment(start_s=0.5, tempo_bpm=240.0, n_beats=24, first_beat_in_bar=1),
        GridSegment(start_s=6.5, tempo_bpm=200.0, n_beats=16, first_beat_in_bar=1),
    ]
    half = change(two_stretches(), "scale", by="1/2")
    assert half.segments == [
        GridSegment(start_s=0.5, tempo_bpm=60.0, n_beats=6, first_beat_in_bar=4),
        GridSegment(start_s=6.5, tempo_bpm=50.0, n_beats=4, first_beat_in_bar=2),
    ]
    assert downbeats_of(half)[0] == 1.5  # the first downbeat of the grid before
    assert beats_of(change(double, "scale", by="1/2")) == beats_of(two_stretches())


def test_an_odd_upbeat_moves_to_the_beat_that_stays() -> None:
    grid = even()
    late = grid.model_copy(
        update={
            "segments": [
                GridSegment(start_s=0.5, tempo_bpm=120.0, n_beats=11, first_beat_in_bar=4),
                GridSegment(start_s=6.5, tempo_bpm=100.0, n_beats=8, first_beat_in_bar=1),
            ]
        }
    )
    assert places(late) == [-1, 0]
    half = change(late, "scale", by="1/2")
    assert half.segments[0] == GridSegment(
        start_s=1.0, tempo_bpm=60.0, n_beats=5, first_beat_in_bar=1
    )
    assert half.segments[1].start_s == 6.5


def test_half_a_beat_swaps_beat_and_off_beat() -> None:
    grid = change(even(), "shift", beats=0.5)
    assert beats_of(grid)[:2] == [0.25, 0.75]
    assert downbeats_of(grid)[0] == 1.25
    assert change(grid, "shift", beats=-0.5) == even()


def test_a_nudge_moves_every_beat() -> None:
    assert beats_of(change(even(), "nudge", ms=-12.0))[:2] == [0.488, 0.988]
    moved = change(two_stretches(), "nudge", ms=7.0)
    assert [s.start_s for s in moved.segments] == [0.507, 6.507]


def test_beats_moved_out_of_the_recording_are_dropped() -> None:
    moved = change(two_stretches(), "nudge", ms=-1200.0)
    assert moved.segments[0] == GridSegment(
        start_s=0.3, tempo_bpm=120.0, n_beats=10, first_beat_in_bar=1
    )
    with pytest.raises(InvalidOption, match="No beat"):
        lone = even().model_copy(
            update={
                "segments": [
                    GridSegment(start_s=1.0, tempo_bpm=120.0, n_beats=1, first_beat_in_bar=1),
                    GridSegment(start_s=2.0, tempo_bpm=120.0, n_beats=1, first_beat_in_bar=1),
                ]
            }
        )
        change(lone, "nudge", ms=-5000.0)


def test_a_downbeat_is_set_on_the_nearest_beat() -> None:
    grid = change(even(), "downbeat", time_s=2.6)
    assert beats_of(grid) == beats_of(even())
    assert downbeats_of(grid)[:2] == [0.5, 2.5]
    turned = change(two_stretches(), "downbeat", time_s=0.5)
    assert [s.first_beat_in_bar for s in turned.segments] == [1, 1]


def test_an_anchor_moves_the_nearest_beat_to_a_time() -> None:
    grid = change(even(), "anchor", time_s=2.6)
    assert downbeats_of(grid)[:2] == [0.6, 2.6]
    moved = change(two_stretches(), "anchor", time_s=1.05)
    assert downbeats_of(moved)[0] == 1.05
    assert moved.segments[1].start_s == pytest.approx(6.55)


def test_a_second_anchor_stretches_the_grid() -> None:
    """The beat of 41.0 s belongs to 40.8 s: 80 beats in 39.8 s, counted from 1.0 s."""
    grid = change(even(), "stretch", beat_s=41.0, to_s=40.8)
    assert grid.tempo_bpm == round(60 * 80 / 39.8, 4)
    assert 1.0 in downbeats_of(grid)
    assert min(abs(beat - 40.8) for beat in beats_of(grid)) < 1e-4
    from_end = change(even(), "stretch", beat_s=1.0, to_s=1.2, anchor_s=41.0)
    assert from_end.tempo_bpm == round(60 * 80 / 39.8, 4)
    assert min(abs(beat - 1.2) for beat in downbeats_of(from_end)) < 1e-4
    both = change(two_stretches(), "stretch", beat_s=6.5, to_s=7.0, anchor_s=0.5)
    assert [s.start_s for s in both.segments] == [0.5, 7.0]
    assert [s.tempo_bpm for s in both.segments] == [110.7692, 92.3077]


def test_a_metre_keeps_the_first_downbeat() -> None:
    grid = change(even(), "metre", beats_per_bar=3)
    assert downbeats_of(grid)[:2] == [1.0, 2.5]
    waltz = change(two_stretches(), "metre", beats_per_bar=3)
    assert downbeats_of(waltz)[0] == 1.5
    assert [s.first_beat_in_bar for s in waltz.segments] == [2, 2]


def test_a_grid_is_laid_where_there_was_none() -> None:
    grid = change(None, "lay", anchor_s=0.75, tempo_bpm=100.0)
    assert beats_of(grid)[:2] == [0.15, 0.75]
    assert grid.beats_per_bar == 4
    again = change(even(), "lay", anchor_s=0.25, beats_per_bar=3)
    assert (again.tempo_bpm, downbeats_of(again)[0]) == (120.0, 0.25)


def test_a_tempo_makes_the_grid_even() -> None:
    grid = set_tempo(two_stretches(), 110.0, TrackFacts(duration_s=60.0))
    assert (len(grid.segments), grid.tempo_bpm, downbeats_of(grid)[0]) == (1, 110.0, 1.5)


def test_a_locked_grid_is_kept() -> None:
    locked = change(even(), "lock")
    for op, fields in (("shift", {"beats": 0.5}), ("lay", {"anchor_s": 0.0, "tempo_bpm": 90.0})):
        with pytest.raises(GridLocked):
            change(locked, op, **fields)
    assert change(locked, "unlock") == even()


@pytest.mark.parametrize(
    ("grid", "op", "fields", "words"),
    [
        (None, "shift", {"beats": 0.5}, "no beat grid"),
        (None, "lay", {"anchor_s": 0.0}, "no tempo"),
        (even(tempo_bpm=300.0), "scale", {"by": "2"}, "600 BPM"),
        (even(), "anchor", {"time_s": 60.0}, "after the end"),
        (even(), "stretch", {"beat_s": 1.0, "to_s": 1.1}, "cannot move"),
        (even(), "stretch", {"beat_s": 41.0, "to_s": 0.5}, "cannot move"),
    ],
)
def test_what_leads_to_no_grid_is_refused(
    grid: CorrectedGrid | None, op: str, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidOption, match=words):
        change(grid, op, **fields)


def test_bars_that_restart_are_counted_anew() -> None:
    grid = two_stretches()
    cut = grid.segments[1].model_copy(update={"first_beat_in_bar": 2})
    restarted = grid.model_copy(update={"segments": [grid.segments[0], cut]})
    assert places(grid) == [-2, 10]
    assert places(restarted) == [-2, -3]


def test_the_grid_of_facts_is_that_of_the_analysis() -> None:
    facts = TrackFacts(
        tempo_bpm=120.0, time_signature="3/4", beat_grid=even(beats_per_bar=3).segments
    )
    assert grid_of(facts) == even(beats_per_bar=3)
    assert grid_of(TrackFacts(tempo_bpm=120.0)) is None
