"""Which beats begin a bar.

Harmony changes on the first beat of a bar and the kick drum stresses it; the snare, the loudest
onset of most songs, does not.

Reference: Davies & Plumbley, "A spectral difference approach to downbeat extraction in musical
audio", EUSIPCO 2006.
"""

import numpy as np
from numpy.typing import NDArray

from core.analysis.beats import strength_at
from core.analysis.chroma import chroma_over_time
from core.analysis.onset import OnsetEnvelope, sharpen
from core.analysis.signal import Mono

BEATS_PER_BAR = 4

_SPAN_BEATS = 2

_Curve = NDArray[np.float64]


def find_downbeats(
    mono: Mono, sample_rate: int, onsets: OnsetEnvelope, beats_s: tuple[float, ...]
) -> tuple[float, ...]:
    """Choose every fourth beat, from the one of the first four where bars are likeliest to begin.

    Parameters
    ----------
    mono, sample_rate, onsets : the recording, not silent, and its onset envelope.
    beats_s : its beats in seconds, ascending; bars of four beats are assumed.

    Returns
    -------
    A part of ``beats_s``. No beats: no downbeats; fewer than four: the likeliest one.
    """
    if not beats_s:
        return ()
    rate = onsets.frame_rate_hz
    kicks = sharpen(onsets.low_strength, rate)
    stress = strength_at(kicks, np.rint(np.array(beats_s) * rate).astype(np.intp))
    change = _harmonic_change(mono, sample_rate, np.array(beats_s))
    n_phases = min(BEATS_PER_BAR, len(beats_s))
    evidence = np.zeros(n_phases)
    for values, weight in ((stress, 1.0), (change, 0.5)):
        means = np.array([values[phase::BEATS_PER_BAR].mean() for phase in range(n_phases)])
        evidence += weight * (means - means.mean()) / (values.mean() + 1e-12)
    return beats_s[int(np.argmax(evidence)) :: BEATS_PER_BAR]


def _harmonic_change(mono: Mono, sample_rate: int, beats_s: _Curve) -> _Curve:
    """Tell, for each beat, how much the chroma after it differs from that before: 0 to 1."""
    frames, rate = chroma_over_time(mono, sample_rate)
    sums = np.concatenate([np.zeros((1, 12)), np.cumsum(frames, axis=0, dtype=np.float64)])
    beat_s = float(np.median(np.diff(beats_s))) if len(beats_s) > 1 else 0.5
    at, before, after = (
        np.clip(np.rint((beats_s + shift * beat_s) * rate).astype(np.intp), 0, len(frames))
        for shift in (0, -_SPAN_BEATS, _SPAN_BEATS)
    )
    past, future = sums[at] - sums[before], sums[after] - sums[at]
    norms = np.linalg.norm(past, axis=1) * np.linalg.norm(future, axis=1)
    likeness = np.sum(past * future, axis=1) / np.maximum(norms, 1e-12)
    # Beats at the ends of the recording have nothing to differ from.
    return np.where(norms > 0, 1 - likeness, 0.0)
