"""Figures of wrong rhythm: a grid half a beat off must not hide in a mean of beat F."""

import numpy as np
import pytest

from bench.rhythm_scores import is_half_beat_off, score_level


@pytest.mark.parametrize(
    ("found_bpm", "name"), [(87.0, "tempo_half"), (175.0, "tempo_double"), (0.0, "tempo_other")]
)
def test_a_wrong_tempo_is_counted_by_the_way_it_is_wrong(found_bpm: float, name: str) -> None:
    truth_bpm = 174.0 if name == "tempo_half" else 87.5
    assert [key for key, value in score_level(truth_bpm, found_bpm).items() if value] == [name]


def test_a_right_tempo_is_no_confusion() -> None:
    assert not any(score_level(120.0, 121.0).values())


@pytest.mark.parametrize(("shift_s", "is_off"), [(0.0, False), (0.06, False), (0.25, True)])
def test_beats_between_the_true_ones_are_half_a_beat_off(shift_s: float, is_off: bool) -> None:
    beats_s = [float(time) for time in np.arange(0.3 + shift_s, 30, 0.5)]
    assert is_half_beat_off(0.5, 0.3, beats_s) is is_off
    assert not is_half_beat_off(0.5, 0.3, [])
