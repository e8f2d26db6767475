"""Making a good path better."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.made_library import make_library
from core.playlist.improve import improve_path
from core.playlist.problem import SetProblem, pose
from core.playlist.request import SetRequest
from core.playlist.table import TrackTable
from core.playlist.track import PlaylistTrack

N = 20
NOTHING = np.zeros(0, np.intp)


def climb(**wishes: Any) -> SetProblem:
    """Tracks that only mix in the order of their tempi, each 2 % faster; one spare at the end."""
    tracks = [
        PlaylistTrack(str(n), tempo_bpm=100 * 1.02**n, camelot="8A", energy=1 + n % 2)
        for n in range(N)
    ]
    spare = replace(tracks[7], id="spare", energy=9.0)
    return pose(TrackTable.from_tracks([*tracks, spare]), SetRequest(n_tracks=N, **wishes))


@pytest.mark.parametrize(
    "order",
    [
        [*range(1, 15), 0, *range(15, N)],
        [*range(3), *range(9, N), *range(3, 9)],
        [*range(4), *reversed(range(4, 13)), *range(13, N)],
        [*range(7), N, *range(8, N)],
    ],
    ids=["a track to move", "a part to move", "a part to turn round", "a track to swap"],
)
def test_each_kind_of_change_mends_what_it_can(order: list[int]) -> None:
    problem = climb()
    path = np.array(order)
    best = problem.rate_path(np.arange(N))
    assert problem.rate_path(path) < best
    spares = np.array([7]) if N in order else NOTHING
    improved = improve_path(problem, path, spares)
    assert len({*improved.tolist()}) == N
    assert problem.rate_path(improved) >= best - 1e-9


def test_start_and_end_and_what_must_be_played_stay() -> None:
    """A swap would bring in the better spare, a turn would move the ends."""
    problem = climb(start="13", end="2", must_play=("spare",))
    order = [13, *(n for n in range(N) if n not in (13, 2, 7)), N, 2]
    improved = improve_path(problem, np.array(order), np.array([7]))
    assert (improved[0], improved[-1]) == (13, 2)
    assert N in improved
    assert len({*improved.tolist()}) == len(order)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "wishes", [{"n_tracks": 10, "curve": "wave"}, {"duration_s": 2400.0, "artist_gap": 3}]
)
def test_a_path_never_gets_worse(seed: int, wishes: dict[str, object]) -> None:
    problem = pose(make_library(60, seed=seed), SetRequest(**wishes))  # type: ignore[arg-type]
    rng = np.random.default_rng(seed)
    path, spares = np.split(rng.permutation(60), [10])
    improved = improve_path(problem, path, spares)
    assert len({*improved.tolist()}) == 10
    assert problem.rate_path(improved) > problem.rate_path(path)


def test_one_track_can_only_be_swapped() -> None:
    problem = pose(make_library(3), SetRequest(n_tracks=1, curve="flat"))
    fits = problem.rate_places(np.arange(3), 0, np.zeros(3))
    assert improve_path(problem, np.array([int(np.argmin(fits))]), np.arange(3)) == np.argmax(fits)
    assert improve_path(problem, np.array([0]), NOTHING).tolist() == [0]
