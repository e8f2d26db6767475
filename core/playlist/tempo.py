"""Pitch change that matches the tempi of two tracks.

The incoming track takes the tempo of the outgoing one. A track at half or double the tempo mixes as
well, so tempi are compared after folding by at most one octave: 87 against 174 BPM needs no change,
60 against 240 does.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log_tempo(tempo_bpm: Floats) -> Floats:
    """Return log2 of tempi in BPM; NaN for unknown ones: NaN, 0 or less."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(tempo_bpm > 0, np.log2(tempo_bpm), np.nan)


def fold_octaves(outgoing_log: Floats, incoming_log: Floats) -> Floats:
    """Return the octaves, −1, 0 or 1, by which the incoming tempo is folded up."""
    return np.clip(np.rint(outgoing_log - incoming_log), -1.0, 1.0)


def pitch_change_percent(outgoing_log: Floats, incoming_log: Floats) -> Floats:
    """Return the pitch change of the incoming tracks in percent; NaN if a tempo is unknown.

    Parameters
    ----------
    outgoing_log, incoming_log : shapes that broadcast; from `log_tempo`.
    """
    octaves = outgoing_log - incoming_log
    percent: Floats = (np.exp2(octaves - np.clip(np.rint(octaves), -1.0, 1.0)) - 1.0) * 100.0
    return percent
