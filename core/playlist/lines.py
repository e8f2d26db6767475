"""Partial paths, and the tracks that can follow them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.playlist.problem import Gains, SetProblem
from core.playlist.windows import Floats, Rows


@dataclass(frozen=True, slots=True)
class Lines:
    """Partial paths of one length.

    Parameters
    ----------
    paths : shape (n_lines, depth).
    gains, elapsed_s : shape (n_lines,), their gain and playing time.
    is_used : shape (n_lines, n_tracks); the end track counts as used.
    marks : shape (n_lines,), a hash of the set of tracks.
    is_greedy : shape (n_lines,), whether a line takes its best continuation alone and is never cut.
    """

    paths: Rows
    gains: Gains
    elapsed_s: Floats
    is_used: NDArray[np.bool_]
    marks: NDArray[np.uint64]
    is_greedy: NDArray[np.bool_]

    @property
    def depth(self) -> int:
        """Number of tracks in each line."""
        return int(self.paths.shape[1])

    def take(self, lines: Rows) -> "Lines":
        """Return a selection of the lines."""
        return Lines(
            self.paths[lines],
            self.gains[lines],
            self.elapsed_s[lines],
            self.is_used[lines],
            self.marks[lines],
            self.is_greedy[lines],
        )


@dataclass(frozen=True, slots=True)
class Children:
    """Continuations, sorted by line and row; shapes (n_children,)."""

    line: Rows
    row: Rows
    gain: Gains


def target_depth(problem: SetProblem) -> int | None:
    """Return the length of a finished line without the end track; None for any length."""
    return None if problem.n_wanted is None else problem.n_wanted - (problem.end is not None)
