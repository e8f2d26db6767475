"""Energy of a track from 1 to 10, as a whole and over time.

There is no published definition of "energy". This one is ours, with fixed anchors, so that a
number means the same in every library::

    value = 1 + 9 · (0.40 loudness + 0.25 flux + 0.20 drive + 0.15 density)

    loudness  integrated loudness, −24 LUFS → 0, −7 LUFS → 1
    flux      mean onset strength over all bands, 0.025 → 0, 0.13 → 1
    drive     the same below 250 Hz (kick drum and bass), 0.03 → 0, 0.16 → 1
    density   onsets a second, 1 → 0, 7.5 → 1

each clipped to 0 … 1; ``energy`` is ``value`` rounded. The value is monotonic in each component.
Onset strengths are measured at peak level 1, so that loudness counts once. Over time the formula is
applied to spans of a second or more; the loudness of a span is the integrated loudness plus the
level of the span above the mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from core.analysis.rhythm.activity import Activity, measure_activity
from core.analysis.spectra import Spectra

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"loudness": 0.40, "flux": 0.25, "drive": 0.20, "density": 0.15}
)
"""Weight of each component; the sum is 1. Ours by definition: there is no truth to fit them to."""
ANCHORS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "loudness": (-24.0, -7.0),
        "flux": (0.025, 0.13),
        "drive": (0.03, 0.16),
        "density": (1.0, 7.5),
    }
)
"""Where each component reaches 0 and 1: LUFS, onset strength, onset strength, onsets a second.
Rounded from the spread of 83 recordings, from solo piano to hardcore (docs/analysis.md)."""
MAX_POINTS = 512
"""Maximum length of the curve: spans grow with the recording."""

_MIN_SPAN_S = 1.0
"""Shortest span of the curve, in seconds."""
_SMOOTHING_S = 4.0
"""Length in seconds of the running mean over the curve. No benchmark recorded."""

_Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EnergyEstimate:
    """Energy of a track.

    Parameters
    ----------
    energy : 1 to 10.
    value : the same before rounding, 1.0 to 10.0.
    components : ``loudness``, ``flux``, ``drive`` and ``density``, each 0 to 1.
    curve : ``value`` over time, one for each ``curve_hop_s`` seconds; at most `MAX_POINTS`.
    """

    energy: int = 1
    value: float = 1.0
    components: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(WEIGHTS, 0.0))
    curve: tuple[float, ...] = ()
    curve_hop_s: float = _MIN_SPAN_S


def estimate_energy(spectra: Spectra, integrated_lufs: float | None) -> EnergyEstimate:
    """Estimate the energy.

    Parameters
    ----------
    spectra : of the mixture.
    integrated_lufs : integrated loudness of the mixture (ITU-R BS.1770-4); None or −inf below
        the gate, which counts as the quietest.

    Returns
    -------
    The estimate; 1 for silence, with an empty curve for no samples.
    """
    if spectra.is_silent:
        return EnergyEstimate()
    activity = measure_activity(spectra)
    # Jobs store the loudness rounded: round here too, so that every path gives the same energy.
    lufs = -np.inf if integrated_lufs is None else round(integrated_lufs, 3)
    rated = rate_energy(
        loudness=lufs,
        flux=float(activity.flux.mean()),
        drive=float(activity.low_flux.mean()),
        density=float(activity.onsets.sum()) / max(spectra.duration_s, _MIN_SPAN_S),
    )
    hop_s, curve = _rate_spans(activity, spectra.duration_s, lufs)
    value = float(rated.pop("value"))
    components = {name: float(share) for name, share in rated.items()}
    return EnergyEstimate(round(value), value, components, curve, hop_s)


def rate_energy(
    *,
    loudness: float | _Curve,
    flux: float | _Curve,
    drive: float | _Curve,
    density: float | _Curve,
) -> dict[str, _Curve]:
    """Apply the formula to measured values, numbers or arrays; see the module for their units.

    Returns the components, 0 to 1, and ``value``, 1 to 10.
    """
    measured = {"loudness": loudness, "flux": flux, "drive": drive, "density": density}
    rated = {
        name: np.clip((np.asarray(value) - ANCHORS[name][0]) / np.diff(ANCHORS[name])[0], 0, 1)
        for name, value in measured.items()
    }
    total = sum(WEIGHTS[name] * share for name, share in rated.items())
    return {**rated, "value": 1 + 9 * np.asarray(total)}


def _rate_spans(
    activity: Activity, duration_s: float, lufs: float
) -> tuple[float, tuple[float, ...]]:
    """Return the length of a span in seconds, and the energy of each span."""
    hop_s = float(max(_MIN_SPAN_S, np.ceil(duration_s / MAX_POINTS)))
    n_frames = len(activity.power)
    n_spans = int(np.clip(np.ceil(duration_s / hop_s), 1, MAX_POINTS))
    edges = np.linspace(0, n_spans * hop_s * n_frames / max(duration_s, hop_s), n_spans + 1)
    starts = np.minimum(edges[:-1].astype(np.intp), n_frames - 1)
    counts = np.diff(np.append(starts, n_frames))
    reach = max(1, round(_SMOOTHING_S / hop_s))

    def mean_of(curve: _Curve) -> _Curve:
        smooth: _Curve = uniform_filter1d(np.add.reduceat(curve, starts) / counts, reach)
        return smooth

    # A running mean of silence after music may be a rounding error below zero.
    power = np.maximum(mean_of(activity.power), 0)
    with np.errstate(divide="ignore"):
        level = 10 * np.log10(power / activity.power.mean())
    rated = rate_energy(
        loudness=lufs + level,
        flux=mean_of(activity.flux),
        drive=mean_of(activity.low_flux),
        density=mean_of(activity.onsets) * n_frames / max(duration_s, _MIN_SPAN_S),
    )
    return hop_s, tuple(float(value) for value in np.round(rated["value"], 2))
