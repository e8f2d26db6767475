"""Quality card of a separation: measures that need no reference stems.

Conventions: levels in dBFS (full scale ±1), None for silence; measured block by block on the
model's stems, before the residual is assigned.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.audio.buffer import Samples

SILENCE_DBFS = -70.0
"""RMS below which a stem counts as silent."""


@dataclass(frozen=True, slots=True)
class StemQuality:
    """One stem: level, peak, number of samples beyond full scale, silence."""

    rms_dbfs: float | None
    peak_dbfs: float | None
    n_clipped: int
    is_silent: bool


@dataclass(frozen=True, slots=True)
class QualityCard:
    """Quality of a separation without reference.

    Attributes
    ----------
    residual_dbfs, residual_peak_dbfs : of mixture − Σ stems.
    correlation : between the mono sums of each pair of stems, −1 to 1, by ``a/b``; near 0 for
        unrelated stems, None if one is silent.
    mixture_is_silent : whether the mixture is silent.
    """

    residual_dbfs: float | None
    residual_peak_dbfs: float | None
    stems: dict[str, StemQuality]
    correlation: dict[str, float | None]
    mixture_is_silent: bool


class QualityMeter:
    """Measures a separation block by block."""

    def __init__(self, stems: tuple[str, ...]) -> None:
        self._stems = stems
        self._n_values = 0
        self._residual_power = self._residual_peak = 0.0
        self._mixture_power = 0.0
        self._power = np.zeros(len(stems))
        self._peak = np.zeros(len(stems))
        self._n_clipped = np.zeros(len(stems), dtype=np.int64)
        self._products = np.zeros((len(stems), len(stems)))

    def add(self, mixture: Samples, stems: Mapping[str, Samples], residual: Samples) -> None:
        """Add a block of the mixture, of every stem, and of the residual."""
        block = np.stack([stems[stem] for stem in self._stems])
        self._n_values += mixture.size
        self._mixture_power += float(np.vdot(mixture, mixture))
        self._residual_power += float(np.square(residual, dtype=np.float64).sum())
        self._residual_peak = max(self._residual_peak, float(np.abs(residual).max(initial=0.0)))
        magnitude = np.abs(block)
        self._power += np.square(block, dtype=np.float64).sum(axis=(1, 2))
        self._peak = np.maximum(self._peak, magnitude.max(axis=(1, 2), initial=0.0))
        self._n_clipped += (magnitude > 1).sum(axis=(1, 2))
        mono = block.sum(axis=1, dtype=np.float64)
        self._products += mono @ mono.T

    def card(self) -> QualityCard:
        """Return the quality card."""
        n_values = max(self._n_values, 1)
        stems = {}
        for i, stem in enumerate(self._stems):
            rms_dbfs = to_dbfs(math.sqrt(self._power[i] / n_values))
            stems[stem] = StemQuality(
                rms_dbfs=rms_dbfs,
                peak_dbfs=to_dbfs(float(self._peak[i])),
                n_clipped=int(self._n_clipped[i]),
                is_silent=rms_dbfs is None or rms_dbfs < SILENCE_DBFS,
            )
        mixture_dbfs = to_dbfs(math.sqrt(self._mixture_power / n_values))
        return QualityCard(
            residual_dbfs=to_dbfs(math.sqrt(self._residual_power / n_values)),
            residual_peak_dbfs=to_dbfs(self._residual_peak),
            stems=stems,
            correlation=self._correlation(),
            mixture_is_silent=mixture_dbfs is None or mixture_dbfs < SILENCE_DBFS,
        )

    def _correlation(self) -> dict[str, float | None]:
        correlation: dict[str, float | None] = {}
        for i, first in enumerate(self._stems):
            for j, second in enumerate(self._stems[:i]):
                scale = math.sqrt(self._products[i, i] * self._products[j, j])
                value = round(float(self._products[i, j]) / scale, 4) if scale > 0 else None
                correlation[f"{second}/{first}"] = value
        return correlation


def to_dbfs(level: float) -> float | None:
    """Return a level in dBFS; None for silence."""
    return round(20 * math.log10(level), 2) if level > 0 else None
