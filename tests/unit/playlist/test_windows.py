"""Mix windows and what is sung in them."""

import numpy as np
import pytest

from core.playlist.table import TrackTable
from core.playlist.track import PlaylistTrack
from core.playlist.windows import MOST_PASSAGES, merge_passages, passages_in


def windows(**facts: object) -> tuple[list[float], list[float]]:
    table = TrackTable.from_tracks([PlaylistTrack("1", **facts)])  # type: ignore[arg-type]
    return table.mix_in_s[0].tolist(), table.mix_out_s[0].tolist()


def test_windows_that_are_not_known_are_sixteen_bars_on_the_grid() -> None:
    """A window that starts between two downbeats makes every mix limp."""
    mix_in, mix_out = windows(tempo_bpm=120.0, duration_s=241.0, first_downbeat_s=0.5)
    assert mix_in == [0.5, 32.5]
    assert mix_out == [208.5, 241.0]


def test_a_short_track_without_tempo_keeps_two_thirds_for_itself() -> None:
    assert windows(duration_s=60.0) == ([0.0, 20.0], [40.0, 60.0])


def test_windows_given_start_on_the_nearest_downbeat() -> None:
    downbeats_s = (0.1, 2.2, 4.1, 6.0, 90.3, 92.2)
    mix_in, mix_out = windows(
        tempo_bpm=126.0,
        duration_s=100.0,
        downbeats_s=downbeats_s,
        mix_in_s=(4.9, 20.0),
        mix_out_s=(91.0, 99.0),
    )
    assert mix_in == [4.1, 20.0]
    assert mix_out == [90.3, 99.0]


@pytest.mark.parametrize("wrong", [(5.0, 5.0), (-1.0, 5.0), (300.0, 310.0)])
def test_a_window_outside_its_track_counts_as_unknown(wrong: tuple[float, float]) -> None:
    """Facts of another version of the file must not put a mix where there is no music."""
    assert windows(duration_s=90.0, mix_in_s=wrong)[0] == [0.0, 30.0]


def test_without_a_duration_there_is_no_way_out() -> None:
    mix_in, mix_out = windows(tempo_bpm=120.0, downbeats_s=(0.0, 2.0, 4.0))
    assert mix_in == [0.0, 32.0]
    assert np.isnan(mix_out).all()


def test_after_a_long_intro_the_grid_goes_back_to_its_beginning() -> None:
    """The window to mix in would else lie in the middle of the song, or off the grid."""
    mix_in, mix_out = windows(duration_s=240.0, tempo_bpm=120.0, first_downbeat_s=60.5)
    assert mix_in == [0.5, 32.5]
    assert mix_out == [206.5, 240.0]
    assert windows(duration_s=60.0, first_downbeat_s=59.0)[0] == [0.0, 20.0]


def test_passages_are_merged_cut_and_counted_from_the_window() -> None:
    """Two passages that overlap would count the same clash twice."""
    passages = np.array([[8.0, 12.0], [1.0, 3.0], [2.0, 5.0], [0.0, 99.0]])
    merged, of_track = merge_passages(passages, np.array([0, 0, 0, 2]))
    np.testing.assert_array_equal(merged, [[1, 5], [8, 12], [0, 99]])
    np.testing.assert_array_equal(of_track, [0, 0, 2])
    cut = passages_in(np.array([[4.0, 10.0], [4.0, 10.0], [np.nan, 10.0]]), merged, of_track)
    np.testing.assert_array_equal(cut[0], [[0, 1], [4, 6]])
    assert not cut[1:].any()


def test_the_last_of_many_passages_count_as_one() -> None:
    passages = np.array([[start, start + 0.5] for start in range(20)], float)
    cut = passages_in(np.array([[0.0, 30.0]]), *merge_passages(passages, np.zeros(20, np.intp)))
    assert cut.shape == (1, MOST_PASSAGES, 2)
    assert cut[0, -1].tolist() == [7.0, 19.5]
    assert cut[0, -2].tolist() == [6.0, 6.5]


def test_no_passages_at_all() -> None:
    merged = merge_passages(np.zeros((0, 2)), np.zeros(0, np.intp))
    assert passages_in(np.array([[0.0, 30.0]]), *merged).tolist() == [[[0.0, 0.0]]]
