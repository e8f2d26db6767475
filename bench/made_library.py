"""Synthetic library of any size, and a greedy planner, for benchmarks and tests of the planner.

Most tracks are near 126 BPM, keys are uniform, tracks have up to a dozen vocal passages, windows
are 16 bars, descriptor vectors are random.
"""

import numpy as np
from numpy.typing import NDArray

from core.library.catalogue.columns import TrackColumns
from core.playlist.harmony import CODES
from core.playlist.problem import PENALTY, SetProblem
from core.playlist.table import TrackTable
from stemcrate.schemas.search import PLANNED

N_FEATURES = 64


def make_library(n: int, *, seed: int = 0) -> TrackTable:
    """Make n tracks; the same seed gives the same tracks."""
    rng = np.random.default_rng(seed)
    tempo = np.where(rng.random(n) < 0.7, rng.normal(126, 4, n), rng.uniform(70, 180, n))
    duration_s = rng.uniform(180, 420, n)
    first_s = rng.uniform(0, 0.5, n)
    bar_s = 240 / tempo
    of_track = np.repeat(np.arange(n), rng.integers(0, 12, n))
    sung_s = rng.uniform(0, 1, len(of_track)) * duration_s[of_track]
    artist, key = rng.integers(0, max(1, n // 5), n), rng.integers(0, 24, n)
    energy, loudness_lufs = rng.uniform(1, 10, n).round(1), rng.normal(-9, 2, n)
    descriptors = rng.standard_normal((n, N_FEATURES)).astype(np.float32)
    passages_s = np.stack([sung_s, sung_s + rng.uniform(2, 20, len(sung_s))], axis=1)
    return TrackTable.from_columns(
        TrackColumns(
            ids=tuple(f"t{number}" for number in range(n)),
            titles=tuple(f"Title {number}" for number in range(n)),
            artists=tuple(f"Artist {number}" for number in artist),
            camelot=tuple(CODES[place] for place in key),
            numbers={
                **{name: np.full(n, np.nan) for name in PLANNED},
                "tempo_bpm": tempo,
                "energy": energy,
                "integrated_loudness_lufs": loudness_lufs,
                "duration_s": duration_s,
                "first_downbeat_s": first_s,
            },
            mix_in_s=np.stack([first_s, first_s + 16 * bar_s], axis=1),
            mix_out_s=np.stack([duration_s - 20 * bar_s, duration_s - 4 * bar_s], axis=1),
            vocals_s=tuple(np.split(passages_s, np.searchsorted(of_track, np.arange(1, n)))),
            stems=((),) * n,
            descriptors=descriptors,
        )
    )


def go_greedily(problem: SetProblem) -> NDArray[np.intp]:
    """Plan greedily: the best first track, then always the best next one."""
    path: list[int] = []
    if problem.n_wanted is None:
        raise ValueError("the greedy planner needs a number of tracks")
    gap = problem.request.artist_gap
    while len(path) < problem.n_wanted:
        rows = np.setdiff1d(np.arange(len(problem.table)), path)
        elapsed_s = np.full(len(rows), problem.play_s[path].sum())
        gains = problem.rate_places(rows, len(path), elapsed_s)
        if path:
            gains = gains + problem.rate_steps(np.full(len(rows), path[-1]), rows)
            artist, near = problem.table.artist[rows], problem.table.artist[path]
            repeats = artist[:, None] == near[max(0, len(path) - gap + 1) :] if gap > 1 else None
            if repeats is not None:
                gains = gains - PENALTY * (repeats & (artist >= 0)[:, None]).sum(axis=1)
        path.append(int(rows[np.argmax(gains)]))
    return np.array(path, np.intp)
