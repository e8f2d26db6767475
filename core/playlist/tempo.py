"""How far the pitch fader has to move so that two tracks beat together.

The incoming track is moved to the tempo of the outgoing one. A track at half or double the tempo
mixes as well, so tempi are compared after folding by one octave at most: 87 against 174 BPM is no
change at all, 60 against 240 is.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log_tempo(tempo_bpm: Floats) -> Floats:
    """Give log2 of tempi in BPM; NaN for what is not known: NaN, zero and less."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(tempo_bpm > 0, np.log2(tempo_bpm), np.nan)


def fold_octaves(outgoing_log: Floats, incoming_log: Floats) -> Floats:
    """Give the octaves, −1, 0 or 1, by which the incoming tempo counts faster than it is."""
    return np.clip(np.rint(outgoing_log - incoming_log), -1.0, 1.0)


def pitch_change_percent(outgoing_log: Floats, incoming_log: Floats) -> Floats:
    """Give what the fader does to the incoming tracks, in percent; NaN where a tempo is unknown.

    Parameters
    ----------
    outgoing_log, incoming_log : shapes that broadcast; from `log_tempo`.
    """
    octaves = outgoing_log - incoming_log
    percent: Floats = (np.exp2(octaves - np.clip(np.rint(octaves), -1.0, 1.0)) - 1.0) * 100.0
    return percent
