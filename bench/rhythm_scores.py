"""How rhythm goes wrong: half a beat off, and at which wrong level.

The truth is a row of a set (`bench.analysis`); estimates have the names of the analysis.
"""

from collections.abc import Sequence

import numpy as np

from bench.music_scores import is_tempo


def name_level(truth_bpm: float, found_bpm: float) -> str:
    """Return ``right``, ``half``, ``double``, or ``other`` for any other wrong tempo."""
    for name, factor in (("right", 1.0), ("half", 1 / 2), ("double", 2.0)):
        if is_tempo(truth_bpm, found_bpm, (factor,)):
            return name
    return "other"


def score_level(truth_bpm: float, found_bpm: float) -> dict[str, float]:
    """Return 1.0 for the way in which a tempo is wrong, 0.0 for the others."""
    found = name_level(truth_bpm, found_bpm)
    return {f"tempo_{name}": float(found == name) for name in ("half", "double", "other")}


def is_half_beat_off(beat_s: float, first_s: float, found_s: Sequence[float]) -> bool:
    """Check whether most beats lie nearer to the middle between true beats than to these.

    Parameters
    ----------
    beat_s, first_s : length of a true beat, and the time of one, in seconds.
    found_s : beats in seconds, at the true tempo; none are not half a beat off.
    """
    away = (np.asarray(found_s, dtype=np.float64) - first_s) / beat_s
    away = np.abs(away - np.rint(away))
    return bool(np.count_nonzero(away > 0.25) > len(away) / 2)
