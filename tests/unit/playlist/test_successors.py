"""Short lists of what can follow a track in a large library."""

from dataclasses import replace

import numpy as np

from core.playlist.plan import ALL_PAIRS_LIMIT, find_path
from core.playlist.problem import pose
from core.playlist.request import SetRequest
from core.playlist.search import search
from core.playlist.successors import Shortlists
from core.playlist.table import TrackTable
from core.playlist.track import PlaylistTrack

FIRST = PlaylistTrack(
    "first",
    tempo_bpm=120.0,
    camelot="8A",
    energy=5,
    duration_s=300.0,
    integrated_loudness_lufs=-9.0,
    timbre=np.array([1.0, 0.0], np.float32),
    vocals_s=(),
)


def second_of_two(others: list[PlaylistTrack]) -> str:
    table = TrackTable.from_tracks([FIRST, *others])
    assert len(table) > ALL_PAIRS_LIMIT
    problem = pose(table, SetRequest(n_tracks=2, start="first"))
    greedy = search(problem, Shortlists(problem), width=1, n_greedy=1)
    assert greedy.path.tolist() == find_path(problem).tolist()
    return table.ids[greedy.path[1]]


def test_the_one_that_only_its_timbre_tells_apart_is_found() -> None:
    """All others tie in what is rated first, and fill the short list."""
    dull = replace(FIRST, timbre=np.array([-1.0, 0.0], np.float32))
    others = [replace(dull, id=f"{number}") for number in range(400)]
    others[217] = replace(FIRST, id="alike")
    assert second_of_two(others) == "alike"


def test_a_clashing_key_is_taken_where_all_mixing_ones_are_worse() -> None:
    """Greed looks beyond the keys that mix where these disappoint."""
    poor = replace(
        FIRST,
        camelot="9B",
        tempo_bpm=127.0,
        energy=10,
        integrated_loudness_lufs=-20.0,
        timbre=np.array([-1.0, 0.0], np.float32),
    )
    others = [replace(poor, id=f"{number}") for number in range(400)]
    others[150] = replace(FIRST, id="clash", camelot="2A")
    assert second_of_two(others) == "clash"


def test_tracks_that_must_be_played_are_in_every_list() -> None:
    """One track among thousands, of another tempo and key, is in no list by its merits."""
    others = [replace(FIRST, id=f"{number}", tempo_bpm=120 + number % 5) for number in range(5000)]
    others[4321] = replace(FIRST, id="must", camelot="2A", tempo_bpm=95.0)
    problem = pose(
        TrackTable.from_tracks([FIRST, *others]), SetRequest(n_tracks=5, must_play=("must",))
    )
    found = search(problem, Shortlists(problem), width=4, n_greedy=1)
    assert "must" in [problem.table.ids[row] for row in found.path]
