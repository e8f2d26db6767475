"""How hard a track drives, from 1 to 10.

Nobody publishes a definition of "energy"; this one is ours, with fixed anchors, so that a number
means the same in every library::

    value = 1 + 9 · (0.45 loudness + 0.35 activity + 0.20 brightness)

    loudness    integrated loudness, −24 LUFS → 0, −7 LUFS → 1
    activity    mean onset strength at peak level 1, 0.02 → 0, 0.16 → 1
    brightness  mean of the spectrum on the mel scale, 600 mel → 0, 1800 mel → 1

each clipped to 0 … 1; ``energy`` is ``value`` rounded. More of any never lowers it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from core.analysis.onset import onset_envelope
from core.analysis.signal import Mono, is_silent, magnitude_blocks, power_of_two

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"loudness": 0.45, "activity": 0.35, "brightness": 0.20}
)
ANCHORS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"loudness": (-24.0, -7.0), "activity": (0.02, 0.16), "brightness": (600.0, 1800.0)}
)
"""Where each component reaches 0 and 1: LUFS, mean onset strength, mel."""

_FRAME_S = 0.046


@dataclass(frozen=True, slots=True)
class EnergyEstimate:
    """How hard a track drives.

    Parameters
    ----------
    energy : 1 to 10.
    value : the same before rounding, 1.0 to 10.0.
    components : ``loudness``, ``activity`` and ``brightness``, each 0 to 1.
    """

    energy: int = 1
    value: float = 1.0
    components: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(WEIGHTS, 0.0))


def estimate_energy(mono: Mono, sample_rate: int, integrated_lufs: float | None) -> EnergyEstimate:
    """Estimate the energy.

    Parameters
    ----------
    mono : float32 ``(n_samples,)``; see `core.analysis.signal`.
    sample_rate : in Hz.
    integrated_lufs : integrated loudness of the mixture (ITU-R BS.1770-4); None or −inf where it
        is below the gate, which counts as the quietest.

    Returns
    -------
    The estimate; 1 for silence.
    """
    if is_silent(mono):
        return EnergyEstimate()
    # At peak level 1, so that loudness is counted once.
    levelled = mono / np.abs(mono).max()
    return rate_energy(
        integrated_lufs=-np.inf if integrated_lufs is None else integrated_lufs,
        activity=float(onset_envelope(levelled, sample_rate).strength.mean()),
        brightness_mel=_mean_mel(levelled, sample_rate),
    )


def rate_energy(
    *, integrated_lufs: float, activity: float, brightness_mel: float
) -> EnergyEstimate:
    """Apply the formula to measured values; see the module for their units."""
    measured = {
        "loudness": integrated_lufs,
        "activity": activity,
        "brightness": brightness_mel,
    }
    components = {
        name: float(np.clip((value - ANCHORS[name][0]) / np.diff(ANCHORS[name])[0], 0, 1))
        for name, value in measured.items()
    }
    value = 1 + 9 * sum(WEIGHTS[name] * share for name, share in components.items())
    return EnergyEstimate(round(value), value, components)


def _mean_mel(mono: Mono, sample_rate: int) -> float:
    """Give the centre of the magnitude spectrum of the whole recording, in mel."""
    n_fft = power_of_two(_FRAME_S, sample_rate)
    total = np.zeros(n_fft // 2 + 1)
    for block in magnitude_blocks(mono, n_fft, n_fft // 2):
        total += block.sum(axis=0)
    mel = 2595 * np.log10(1 + np.arange(len(total)) * sample_rate / n_fft / 700)
    return float(total @ mel / max(total.sum(), 1e-12))
