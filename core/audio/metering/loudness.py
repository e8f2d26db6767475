"""Loudness and true peak: ITU-R BS.1770-4, EBU Tech 3341 and 3342, block by block.

Conventions: LUFS for levels, LU for differences, dBTP and dBFS for peaks; full scale is ±1.
Undefined values (silence, too short) are None, never minus infinity, so that JSON can hold them.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, Samples, validate_block
from core.audio.metering.k_weighting import KWeighting
from core.audio.metering.replaygain import REPLAYGAIN_REFERENCE_LUFS
from core.audio.metering.true_peak import TruePeakMeter

LOUDNESS_HOP_S = 0.1
"""Seconds between the values of `LoudnessMeter.momentary_lufs`."""

_MOMENTARY_HOPS = 4  # 400 ms gating blocks, 75 % overlap
_SHORT_TERM_HOPS = 30  # 3 s
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_RANGE_GATE_LU = -20.0
_OFFSET_DB = -0.691  # BS.1770: compensates the gain of the K-weighting at 997 Hz
_FILTERED_AT_ONCE = 1 << 16  # samples; fits the processor's cache


@dataclass(frozen=True, slots=True)
class Loudness:
    """Measured loudness; None where a value is undefined.

    Parameters
    ----------
    integrated_lufs : gated loudness of the whole; None below −70 LUFS or 400 ms.
    loudness_range_lu : EBU Tech 3342; None below 3 s.
    true_peak_dbtp, sample_peak_dbfs : between the samples and at them; None for digital silence.
    momentary_max_lufs, short_term_max_lufs : EBU Tech 3341, over 400 ms and over 3 s.
    """

    integrated_lufs: float | None = None
    loudness_range_lu: float | None = None
    true_peak_dbtp: float | None = None
    sample_peak_dbfs: float | None = None
    momentary_max_lufs: float | None = None
    short_term_max_lufs: float | None = None

    @property
    def replaygain_db(self) -> float | None:
        """Gain to `REPLAYGAIN_REFERENCE_LUFS`, in dB."""
        return (
            None
            if self.integrated_lufs is None
            else REPLAYGAIN_REFERENCE_LUFS - self.integrated_lufs
        )

    @property
    def replaygain_peak(self) -> float | None:
        """Peak for ReplayGain 2: the true peak, linear, full scale is 1."""
        return None if self.true_peak_dbtp is None else float(10 ** (self.true_peak_dbtp / 20))


@dataclass(frozen=True, slots=True)
class LoudnessCurve:
    """Short-term loudness (EBU Tech 3341) every ``hop_s`` seconds; None below −70 LUFS."""

    hop_s: float = 1.0
    lufs: tuple[float | None, ...] = ()


def measure_loudness(blocks: Iterable[Samples], sample_rate: int, n_channels: int) -> Loudness:
    """Measure a recording in blocks ``(n_channels, n)``; see `LoudnessMeter`."""
    meter = LoudnessMeter(sample_rate, n_channels)
    for block in blocks:
        meter.add(block)
    return meter.result()


class LoudnessMeter:
    """Measure block by block; the size of the blocks doesn't change the result.

    Every channel has weight 1, as mono, left and right have in BS.1770. Memory grows by one float
    for every 100 ms.

    Parameters
    ----------
    sample_rate : 8000 to 192 000 Hz.
    n_channels : 1 or 2.

    Raises
    ------
    ValueError : either is out of range.
    """

    def __init__(self, sample_rate: int, n_channels: int) -> None:
        if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
            raise ValueError(f"sample_rate must be 8000 to 192000 Hz, got {sample_rate}")
        if n_channels not in (1, 2):
            raise ValueError(f"n_channels must be 1 or 2, got {n_channels}")
        self._n_channels = n_channels
        self._hop = LOUDNESS_HOP_S * sample_rate
        self._weighting = KWeighting(sample_rate, n_channels)
        self._n_hops = 0
        self._n_weighted = 0
        self._open_power = 0.0
        self._hop_powers: list[NDArray[np.float64]] = []
        self._sample_peak = 0.0
        self._true_peak = TruePeakMeter(sample_rate, n_channels)

    def add(self, block: Samples) -> None:
        """Add the next samples, float32 ``(n_channels, n)``; any n, including 0."""
        validate_block(block, n_channels=self._n_channels)
        self._true_peak.add(block)
        for start in range(0, block.shape[1], _FILTERED_AT_ONCE):
            part = block[:, start : start + _FILTERED_AT_ONCE]
            self._sample_peak = max(self._sample_peak, float(part.max()), -float(part.min()))
            self._add_powers(np.square(self._weighting.add(part), dtype=np.float64))

    def result(self) -> Loudness:
        """Return all values."""
        return Loudness(
            integrated_lufs=self.integrated_lufs(),
            loudness_range_lu=self.loudness_range_lu(),
            true_peak_dbtp=self.true_peak_dbtp(),
            sample_peak_dbfs=self.sample_peak_dbfs(),
            momentary_max_lufs=_maximum(self._window_powers(_MOMENTARY_HOPS)),
            short_term_max_lufs=_maximum(self._window_powers(_SHORT_TERM_HOPS)),
        )

    def momentary_lufs(self) -> NDArray[np.float64]:
        """Return the loudness over time, ``(n_values,)``, one value for each `LOUDNESS_HOP_S`.

        Value ``i`` covers the 400 ms from ``i * LOUDNESS_HOP_S``; minus infinity for digital
        silence. Empty for less than 400 ms.
        """
        return _lufs(self._window_powers(_MOMENTARY_HOPS))

    def short_term_lufs(self, most_values: int) -> "LoudnessCurve":
        """Return the loudness of the 3 s around each second; of more seconds in long recordings.

        Near both ends they are the first and the last 3 s. Empty for less than 3 s.
        """
        levels = _lufs(self._window_powers(_SHORT_TERM_HOPS))
        duration_s = self._n_hops * LOUDNESS_HOP_S
        hop_s = max(1, math.ceil(duration_s / most_values))
        if not levels.size:
            return LoudnessCurve(hop_s)
        middles = np.arange(0, duration_s, hop_s) / LOUDNESS_HOP_S
        starts = np.clip(np.rint(middles - _SHORT_TERM_HOPS / 2), 0, len(levels) - 1)
        found = levels[starts.astype(np.intp)].tolist()
        return LoudnessCurve(
            hop_s, tuple(lufs if lufs >= _ABSOLUTE_GATE_LUFS else None for lufs in found)
        )

    def integrated_lufs(self) -> float | None:
        """Return the gated loudness; None for silence (below -70 LUFS) or less than 400 ms."""
        powers = self._window_powers(_MOMENTARY_HOPS)
        powers = powers[_lufs(powers) >= _ABSOLUTE_GATE_LUFS]
        if not powers.size:
            return None
        threshold = float(_lufs(powers.mean())) + _RELATIVE_GATE_LU
        return float(_lufs(powers[_lufs(powers) >= threshold].mean()))

    def loudness_range_lu(self) -> float | None:
        """Return the range by EBU Tech 3342; None for silence or less than 3 s.

        The spread from the 10th to the 95th percentile of the gated short-term loudness.
        """
        powers = self._window_powers(_SHORT_TERM_HOPS)
        powers = powers[_lufs(powers) >= _ABSOLUTE_GATE_LUFS]
        if not powers.size:
            return None
        levels = _lufs(powers)
        levels = levels[levels >= float(_lufs(powers.mean())) + _RANGE_GATE_LU]
        low, high = np.percentile(levels, (10, 95))
        return float(high - low)

    def true_peak_dbtp(self) -> float | None:
        """Return the inter-sample peak by BS.1770-4 annex 2; None for digital silence."""
        return _decibels(self._true_peak.value())

    def sample_peak_dbfs(self) -> float | None:
        """Return the largest sample; None for digital silence."""
        return _decibels(self._sample_peak)

    def _add_powers(self, squares: NDArray[np.float64]) -> None:
        """Sum whole hops of 100 ms over all channels, and keep the remainder for the next hop."""
        end = self._n_weighted + squares.shape[1]
        # At rates like 11 025 Hz a hop is not a whole number of samples: round each border instead.
        hops = np.arange(self._n_hops, int(end / self._hop) + 2)
        borders = np.rint(hops * self._hop).astype(np.intp)
        borders = borders[: np.searchsorted(borders, end, side="right")]
        starts = np.maximum(borders - self._n_weighted, 0)
        sums = np.add.reduceat(squares, starts[starts < squares.shape[1]], axis=1).sum(axis=0)
        sums[0] += self._open_power
        n_whole = len(borders) - 1
        self._hop_powers.append(sums[:n_whole] / np.diff(borders))
        self._open_power = float(sums[n_whole:].sum())
        self._n_hops += n_whole
        self._n_weighted = end

    def _window_powers(self, n_hops: int) -> NDArray[np.float64]:
        """Return the summed channel power of every window of ``n_hops``, one hop apart."""
        powers = np.concatenate([np.zeros(0), *self._hop_powers])
        if len(powers) < n_hops:
            return np.zeros(0)
        windows = np.lib.stride_tricks.sliding_window_view(powers, n_hops)
        return np.asarray(windows.mean(axis=1), dtype=np.float64)


def _lufs(power: NDArray[np.float64] | np.floating) -> NDArray[np.float64]:
    """Return the loudness of a K-weighted power; minus infinity for 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(_OFFSET_DB + 10 * np.log10(power), dtype=np.float64)


def _maximum(powers: NDArray[np.float64]) -> float | None:
    """Return the loudness of the largest power; None for silence and without values."""
    largest = powers.max(initial=0.0)
    return float(_lufs(largest)) if largest > 0 else None


def _decibels(amplitude: float) -> float | None:
    return float(20 * np.log10(amplitude)) if amplitude > 0 else None
