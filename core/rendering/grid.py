"""A track's beats and bars as numbers, beyond its first and last beat too.

Conventions: beats count from 0, the first one known; bars from 1, the first downbeat. Times are
seconds of the track.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import BeatGridMissing
from stemcrate.schemas.facts import TrackFacts

_FEWEST_BEATS = 4
_LOCAL_BEATS = 16
"""Beats at either end from which the grid is continued."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Beats and bars.

    Parameters
    ----------
    beats_s : times of beats, ascending, at least four.
    downbeats : the beats that begin a bar, ascending, at least one.
    beats_per_bar : beyond the first and last downbeat.
    """

    beats_s: NDArray[np.float64]
    downbeats: NDArray[np.int64]
    beats_per_bar: int

    @classmethod
    def of(cls, facts: TrackFacts, name: str) -> "Grid":
        """Read a grid from facts. Raises `BeatGridMissing`, which names the track."""
        beats_s = np.array(sorted(set(facts.beats_s)))
        if facts.tempo_bpm is None or len(beats_s) < _FEWEST_BEATS:
            raise BeatGridMissing(
                f"'{name}' has no beat grid.",
                hint="Analyse it with the stage 'tempo', or choose a track with a steady beat.",
            )
        nearest = [int(np.abs(beats_s - downbeat_s).argmin()) for downbeat_s in facts.downbeats_s]
        beats_per_bar = int((facts.time_signature or "4/4").split("/")[0])
        return cls(beats_s, np.array(sorted(set(nearest)) or [0]), beats_per_bar)

    def times_s(self, beats: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the times of beats, which may be fractions and lie beyond the known ones."""
        last = len(self.beats_s) - 1
        known = np.interp(beats, np.arange(last + 1), self.beats_s)
        before, after = np.minimum(beats, 0), np.maximum(beats - last, 0)
        n = min(_LOCAL_BEATS, last)
        first_s = (self.beats_s[n] - self.beats_s[0]) / n
        last_s = (self.beats_s[-1] - self.beats_s[-1 - n]) / n
        times: NDArray[np.float64] = known + before * first_s + after * last_s
        return times

    def time_s(self, beat: float) -> float:
        """Return the time of one beat."""
        return float(self.times_s(np.array([beat]))[0])

    @property
    def n_bars(self) -> int:
        """The number of known bars."""
        return len(self.downbeats)

    def first_beat(self, bar: int) -> int:
        """Return the first beat of a bar, which may lie beyond the known ones."""
        place = bar - 1
        inside = min(max(place, 0), self.n_bars - 1)
        return int(self.downbeats[inside]) + (place - inside) * self.beats_per_bar

    def nearest_bar(self, time_s: float) -> int:
        """Return the bar whose first beat is nearest to a time."""
        return int(np.abs(self.beats_s[self.downbeats] - time_s).argmin()) + 1
