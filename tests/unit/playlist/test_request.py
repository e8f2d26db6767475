"""What can be asked of a set, and what not."""

from typing import Any

import pytest

from core.errors import InvalidOption
from core.playlist.request import SetRequest


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"duration_s": 0.0}, "duration_s"),
        ({"duration_s": -60.0}, "duration_s"),
        ({"duration_s": float("nan")}, "duration_s"),
        ({"duration_s": float("inf")}, "duration_s"),
        ({"n_tracks": 0}, "n_tracks"),
        ({"n_tracks": 5, "duration_s": 60.0}, "n_tracks"),
        ({"artist_gap": -1}, "artist_gap"),
        ({"max_pitch_percent": 0.0}, "max_pitch_percent"),
        ({"max_pitch_percent": 100.0}, "max_pitch_percent"),
        ({"max_pitch_percent": float("nan")}, "max_pitch_percent"),
        ({"start": "a", "never": ("a",)}, "never"),
        ({"must_play": ("b",), "never": ("a", "b")}, "never"),
        ({"start": "a", "end": "a"}, "end"),
    ],
)
def test_wishes_that_cannot_be_are_refused_and_named(wishes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        SetRequest(**wishes)
    assert caught.value.field == field
    assert caught.value.hint


def test_a_set_of_one_may_start_and_end_with_it() -> None:
    assert SetRequest(n_tracks=1, start="a", end="a").wanted == ("a",)


def test_tracks_that_are_not_there_are_named() -> None:
    request = SetRequest(start="a", end="x", must_play=("b", "a"))
    request.check_ids(["a", "b", "x"])
    with pytest.raises(InvalidOption, match="'x'"):
        request.check_ids(["a", "b"])
