"""How well the keys fit each window of a recording, by key profiles.

Windows of 12 s are compared with the profiles of the 24 keys
(`core.analysis.harmony.key_profiles`). Music with a steady harmony is mostly made of loops; it is
compared with the profiles of electronic music, where minor is the more common mode. Music that
moves through chords and keys is compared with those of tonal music, too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from core.analysis.harmony.chroma import Chroma
from core.analysis.harmony.key_profiles import expected_chroma

_Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KeyRule:
    """How chroma is judged.

    Parameters
    ----------
    gate : pitch classes below this share of a window's strongest one count as silent.
    doubt : how sharply a window votes: factor of the correlations before a softmax.
    moving, steady : mean agreement of the windows with their sum, as correlation, up to which the
        harmony counts as moving, and from which it counts as steady.
    minor_lead : lead of minor keys in steady music, as correlation.
    network, profiles : factors of the network's log-probabilities and of the logarithm of the
        votes; with them the confidence is the share of right keys on made music and recordings
        that the network never saw (docs/analysis.md).
    window_frames, step_frames : length and distance of the windows, in frames of `PITCH_HOP_S`:
        12 s and 3 s.
    smoothed_frames : length of the running median over time, in frames.
    change : cost of a change of key over time, as logarithm of a probability.
    sure_s : seconds of audible pitch from which the confidence is not reduced; a switch-on click
        and the edges of an offset last for less.
    heard : chroma of a frame's strongest pitch class from which it is audible; clicks stay below,
        faint music reaches 1.
    flat, flat_second : spread of the pitch classes of noise, over their mean: of long noise, and
        of one second.
    clear : by how much the spread of clear music exceeds that; it is 0.43 or more over a minute.
    neighbours : weight with which neighbouring semitones count as one pitch class, as a deep tone
        sounds in three.

    `bench.key_validation` chose `gate`, `doubt`, `moving`, `steady` and `minor_lead` by
    cross-validation over groups. No benchmark of the others but the factors is recorded; tests
    of noise, clicks and single tones (tests/unit/analysis/harmony/test_key.py) hold `sure_s` to
    `neighbours`.
    """

    gate: float = 0.1
    doubt: float = 5.0
    moving: float = 0.98
    steady: float = 0.995
    minor_lead: float = 0.04
    network: float = 0.6
    profiles: float = 1.0
    window_frames: int = 64
    step_frames: int = 16
    smoothed_frames: int = 5
    change: float = -3.0
    sure_s: float = 2.0
    heard: float = 0.3
    flat: float = 0.15
    flat_second: float = 0.5
    clear: float = 0.25
    neighbours: float = 0.8


RULE = KeyRule()


def fit_windows(chroma: Chroma, rule: KeyRule) -> tuple[_Matrix, _Matrix]:
    """Correlate windows with the keys.

    Returns
    -------
    The chroma of each window, ``(n_windows, 12)``, zeros where it is silent; and the fits,
    ``(n_windows, 24)``: C major … B, C minor … B.
    """
    windows = [_average_windows(frames, rule) for frames in (chroma.full, chroma.peaks)]
    heard = windows[0].sum(axis=1)
    if not heard.any():
        return windows[0], np.zeros((len(heard), 24))
    steadiness = _steadiness(windows[0][heard > 0], rule)
    expected = expected_chroma(steadiness)
    fits: _Matrix = np.mean([_fit(_gate(each, rule.gate), expected) for each in windows], axis=0)
    fits[:, 12:] += rule.minor_lead * steadiness
    return windows[0], fits


def _average_windows(frames: NDArray[np.float32], rule: KeyRule) -> _Matrix:
    """Average chroma over overlapping windows, ``(n_windows, 12)``, at least one.

    All frames have about the same weight regardless of level, except nearly empty ones.
    """
    smooth = median_filter(frames, size=(rule.smoothed_frames, 1), mode="nearest").astype(
        np.float64
    )
    largest = smooth.max(axis=1, keepdims=True)
    levelled = smooth / (largest + 0.1 * largest.max() + 1e-12)
    sums = np.concatenate([np.zeros((1, 12)), np.cumsum(levelled, axis=0)])
    starts = window_starts(len(frames), rule)
    stops = np.minimum(starts + rule.window_frames, len(frames))
    means: _Matrix = (sums[stops] - sums[starts]) / (stops - starts)[:, None]
    return means


def window_starts(n_frames: int, rule: KeyRule) -> NDArray[np.intp]:
    """Return the first frame of each window; there is at least one."""
    return np.arange(0, max(1, n_frames - rule.window_frames + rule.step_frames), rule.step_frames)


def _steadiness(windows: _Matrix, rule: KeyRule) -> float:
    """Return the steadiness of the harmony, 0 to 1, from the audible windows."""
    centred = windows - windows.mean(axis=1, keepdims=True)
    whole = centred.sum(axis=0)
    norms = np.linalg.norm(centred, axis=1) * np.linalg.norm(whole)
    agreement = float((centred @ whole / np.maximum(norms, 1e-12)).mean())
    return float(np.clip((agreement - rule.moving) / (rule.steady - rule.moving), 0, 1))


def _gate(chroma: _Matrix, gate: float) -> _Matrix:
    """Zero the pitch classes that are weak throughout a window: noise and overtones."""
    return np.where(chroma < gate * chroma.max(axis=1, keepdims=True), 0.0, chroma)


def _fit(chroma: _Matrix, expected: _Matrix) -> _Matrix:
    """Correlate windows with the keys, ``(n_windows, 24)``: C major … B, C minor … B."""
    centred = chroma - chroma.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    fits: _Matrix = centred / np.maximum(norm, 1e-12) @ expected.T
    return fits
