"""Wishes for a set that could not be met, and their replacement."""

from collections.abc import Iterator, Sequence

import numpy as np

from core.playlist.harmony import UNKNOWN_KEY
from core.playlist.problem import SetProblem
from core.playlist.reasons import signed
from core.playlist.windows import Floats, Rows
from stemcrate.schemas.sets import RelaxedWish
from stemcrate.schemas.transitions import Transition

ENERGY_TOLERANCE = 2.0
"""Distance in energy from which a track counts as off the curve."""

DURATION_TOLERANCE = 0.05
NOTHING_TO_PLAY = RelaxedWish(wish="tracks", words="There are no tracks to choose from.")


def find_relaxed(
    problem: SetProblem,
    path: Rows,
    transitions: Sequence[Transition],
    wanted_energy: Floats,
    duration_s: float,
) -> Iterator[RelaxedWish]:
    """Find the wishes that a planned path does not meet.

    Parameters
    ----------
    wanted_energy : shape (n_tracks,); empty without a curve.
    duration_s : of the set.
    """
    yield from find_broken(problem, path, transitions, wanted_energy, duration_s)
    yield from _relaxed_order(problem, path)


def find_broken(
    problem: SetProblem,
    path: Rows,
    transitions: Sequence[Transition],
    wanted_energy: Floats,
    duration_s: float,
) -> Iterator[RelaxedWish]:
    """Find the wishes that a path does not meet, whoever chose its order; see `find_relaxed`."""
    yield from _relaxed_length(problem, path, duration_s)
    limit = problem.request.max_pitch_percent
    for place, step in enumerate(transitions):
        if step.pitch_change_percent is not None and abs(step.pitch_change_percent) > limit:
            yield _relaxed(
                "max_pitch_percent",
                f"{_name(problem, path[place])} into {_name(problem, path[place + 1])} plays the "
                f"incoming track at {signed(step.pitch_change_percent)} %; "
                f"±{limit:g} % was allowed.",
            )
    yield from _relaxed_artists(problem, path)
    yield from _relaxed_curve(problem, path, wanted_energy)


def _relaxed_length(problem: SetProblem, path: Rows, duration_s: float) -> Iterator[RelaxedWish]:
    request = problem.request
    if request.n_tracks is not None and len(path) != request.n_tracks:
        why = "have to be played" if len(path) > request.n_tracks else "are there"
        yield _relaxed("n_tracks", f"{len(path)} tracks {why}; {request.n_tracks} were asked for.")
    if request.duration_s is None:
        return
    if abs(duration_s / request.duration_s - 1.0) > DURATION_TOLERANCE:
        yield _relaxed(
            "duration_s",
            f"The set lasts {duration_s / 60:.1f} minutes; "
            f"{request.duration_s / 60:.1f} were asked for.",
        )
    if unknown := int(np.isnan(problem.table.play_s[path]).sum()):
        yield _relaxed(
            "duration_s",
            f"{unknown} of {len(path)} tracks are of unknown duration and count as usual ones.",
        )


def _relaxed_artists(problem: SetProblem, path: Rows) -> Iterator[RelaxedWish]:
    gap, artists = problem.request.artist_gap, problem.table.artist[path]
    for place, artist in enumerate(artists):
        if gap > 1 and artist >= 0 and artist in artists[max(0, place - gap + 1) : place]:
            yield _relaxed(
                "artist_gap",
                f"The artist of {_name(problem, path[place])} stands twice within {gap} tracks.",
            )


def _relaxed_curve(problem: SetProblem, path: Rows, wanted_energy: Floats) -> Iterator[RelaxedWish]:
    if not len(wanted_energy):
        return
    energy = problem.table.energy[path]
    if unknown := int(np.isnan(energy).sum()):
        yield _relaxed("curve", f"{unknown} of {len(path)} tracks are of unknown energy.")
    missed = np.nan_to_num(np.abs(energy - wanted_energy))
    if n_off := int((missed > ENERGY_TOLERANCE).sum()):
        worst = int(np.argmax(missed))
        yield _relaxed(
            "curve",
            f"{n_off} of {len(path)} tracks are off the curve, {_name(problem, path[worst])} "
            f"the furthest: {energy[worst]:.1f} where {wanted_energy[worst]:.1f} is wanted.",
        )


def _relaxed_order(problem: SetProblem, path: Rows) -> Iterator[RelaxedWish]:
    table = problem.table
    if table.is_unmixable[path].all():
        return
    for row in path[table.is_unmixable[path]]:
        if row in (problem.start, problem.end):
            continue
        names = {
            "tempo": np.isnan(table.log_tempo[row]),
            "key": table.key[row] == UNKNOWN_KEY,
        }
        unknown = " and ".join(name for name, is_unknown in names.items() if is_unknown)
        yield _relaxed(
            "tracks",
            f"{_name(problem, row)} is planned last: its {unknown} "
            f"{'are' if ' and ' in unknown else 'is'} unknown.",
        )


def _relaxed(wish: str, words: str) -> RelaxedWish:
    return RelaxedWish(wish=wish, words=words)


def _name(problem: SetProblem, row: int) -> str:
    return f"'{problem.table.titles[row] or problem.table.ids[row]}'"
