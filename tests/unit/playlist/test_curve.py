"""Energy curves."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidOption
from core.playlist.curve import make_curve
from stemcrate.schemas.curves import CurveName

UNKNOWN = np.array([np.nan])


@pytest.mark.parametrize(
    ("name", "is_like_it"),
    [
        ("warm-up", lambda e: (np.diff(e) > 0).all()),
        ("cool-down", lambda e: (np.diff(e) < 0).all()),
        ("peak", lambda e: 5 < np.argmax(e) < 9 and e.max() == pytest.approx(9, abs=0.3)),
        ("wave", lambda e: (np.abs(np.diff(np.sign(np.diff(e)))) > 0).sum() == 3),
        ("flat", lambda e: (e == e[0]).all()),
    ],
)
def test_each_name_has_its_shape(name: str, is_like_it: Callable[..., Any]) -> None:
    """Two names mixed up, or a curve that leaves the scale of the analysis."""
    energy = make_curve(name, UNKNOWN).energy_at(np.linspace(0, 1, 11))
    assert is_like_it(energy)
    assert energy.min() >= 1
    assert energy.max() <= 10


def test_every_name_is_a_curve() -> None:
    assert len({make_curve(name, UNKNOWN).points for name in CurveName}) == 5


def test_flat_is_the_middle_of_what_there_is() -> None:
    energies = np.array([3.0, 4.0, 9.0, np.nan])
    assert make_curve("flat", energies).energy_at(np.array([0.3])).tolist() == [4.0]
    assert make_curve("flat", UNKNOWN).energy_at(np.array([0.3])).tolist() == [5.5]


def test_points_are_joined_and_their_ends_go_on() -> None:
    curve = make_curve(((0.2, 2.0), (0.8, 8.0)), UNKNOWN)
    np.testing.assert_allclose(curve.energy_at(np.array([0.0, 0.5, 1.0])), [2, 5, 8])


def test_fit_is_half_at_two_and_always_less_further_away() -> None:
    """Where every track is far from the curve the nearest still has to win."""
    curve = make_curve(((0.0, 5.0),), UNKNOWN)
    energy = np.array([5.0, 6.0, 3.0, 9.0, 1.0, np.nan])
    np.testing.assert_allclose(curve.rate(energy, np.zeros(6)), [1.0, 0.8, 0.5, 0.2, 0.2, 0.5])


@pytest.mark.parametrize(
    "curve",
    [
        "peaks",
        "",
        (),
        ((0.5, 5.0), (0.5, 6.0)),
        ((0.6, 5.0), (0.5, 6.0)),
        ((0.0, 0.0),),
        ((0.0, 11.0),),
        ((-0.1, 5.0),),
        ((0.0, 5.0), (1.1, 5.0)),
        ((0.0, float("nan")),),
    ],
)
def test_what_is_no_curve_is_refused(curve: str | tuple[Any, ...]) -> None:
    with pytest.raises(InvalidOption) as caught:
        make_curve(curve, UNKNOWN)
    assert caught.value.field == "curve"
    assert caught.value.hint
