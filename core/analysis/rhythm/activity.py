"""Onsets and power in every frame of a recording.

Used by energy and descriptors, and to check that beats have strokes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from core.analysis.flux import COMPRESSION, LAG_FRAMES, widen
from core.analysis.spectra import Spectra

_TIMES_AT_ONCE = 64  # bounds memory; the result does not depend on it

_Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ActivityRules:
    """What counts as an onset, and what as a stroke.

    Parameters
    ----------
    neighbours_s : seconds before and after an onset in which nothing is stronger.
    mean_s : seconds around an onset whose mean it exceeds.
    threshold : by how much, as onset strength at peak level 1.
    reach_frames : frames before and after a beat in which a stroke counts: 46 ms.
    mean_frames : frames that are averaged: a stroke lasts for more than one, deep tones beat
        against single frames.
    lag_frames : frames between the two levels that are compared: 46 ms.
    bands : mel bands of 40 that must rise: a stroke is heard in many at once.
    rise : by how much they rise, as natural logarithm (1.3 dB). Most beats of music rise by 0.2 or
        more; steady tones, buzzing or beating against each other, by 0.13 at most.

    Tests of tones, buzzes and clicks (tests/unit/analysis/rhythm/test_no_tempo.py) hold the
    strokes. The onsets' values enter the density of the energy; no benchmark of them is recorded.
    """

    neighbours_s: float = 0.04
    mean_s: float = 0.6
    threshold: float = 0.08
    reach_frames: int = 4
    mean_frames: int = 3
    lag_frames: int = 4
    bands: int = 6
    rise: float = 0.15


RULES = ActivityRules()


@dataclass(frozen=True, slots=True)
class Activity:
    """Onsets and power in each frame of `Spectra.mel`, float64 of shape ``(n_frames,)`` each.

    Parameters
    ----------
    flux : onset strength over all bands, at least 0, at peak level 1.
    low_flux : the same over the bands of kick drum and bass.
    power : of the frame, linear, arbitrary unit.
    onsets : 1.0 at an onset, else 0.0.
    """

    flux: _Curve
    low_flux: _Curve
    power: _Curve
    onsets: _Curve


def measure_activity(spectra: Spectra) -> Activity:
    """Measure onsets and power of every frame; zeros for silence."""
    flux, low_flux = spectra.flux[:2].astype(np.float64)
    # A recording cut from music does not begin with an onset.
    flux[:LAG_FRAMES] = low_flux[:LAG_FRAMES] = 0
    power = np.einsum("ij,ij->i", spectra.mel, spectra.mel) / np.float32(spectra.mel.shape[1])
    onsets = _pick_onsets(flux, spectra.mel_rate_hz)
    return Activity(flux, low_flux, power.astype(np.float64), onsets)


def count_strokes(spectra: Spectra, times_s: _Curve, *, enough: int) -> int:
    """Count the times, in seconds, with a stroke within 46 ms; stop at ``enough``.

    A stroke rises in many bands at once and lasts for more than a frame. Levels that rise in few
    bands, or with every frame, are not strokes: tones that beat against each other, or deep tones
    that beat against the frames.
    """
    n_strokes = 0
    for first in range(0, len(times_s), _TIMES_AT_ONCE):
        n_strokes += _count_strokes(spectra, times_s[first : first + _TIMES_AT_ONCE])
        if n_strokes >= enough:
            return enough
    return n_strokes


def _count_strokes(spectra: Spectra, times_s: _Curve) -> int:
    context = RULES.lag_frames + RULES.mean_frames // 2
    steps = np.arange(-RULES.reach_frames - context, RULES.reach_frames + 2)
    at = np.rint(times_s * spectra.mel_rate_hz).astype(np.intp)[:, None] + steps
    mel = spectra.mel[np.clip(at, 0, len(spectra.mel) - 1)]
    n_means = mel.shape[1] - RULES.mean_frames + 1
    sums = sum(mel[:, first : first + n_means] for first in range(RULES.mean_frames))
    scale = COMPRESSION / (max(spectra.peak, 1e-9) * RULES.mean_frames)
    levels = np.log1p(np.float32(scale) * sums)
    rises = levels[:, RULES.lag_frames :] - widen(levels[:, : -RULES.lag_frames])
    is_stroke = np.count_nonzero(rises.max(axis=1) >= RULES.rise, axis=1) >= RULES.bands
    return int(np.count_nonzero(is_stroke))


def _pick_onsets(flux: _Curve, frame_rate_hz: float) -> _Curve:
    """Mark local maxima that exceed the mean of the 0.6 s around them."""
    reach = 2 * round(RULES.neighbours_s * frame_rate_hz) + 1
    mean = uniform_filter1d(flux, max(1, round(RULES.mean_s * frame_rate_hz)))
    is_peak = (flux == maximum_filter1d(flux, reach)) & (flux > mean + RULES.threshold)
    onsets: _Curve = is_peak.astype(np.float64)
    return onsets
