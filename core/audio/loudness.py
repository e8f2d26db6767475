"""Loudness and true peak: ITU-R BS.1770-4, EBU Tech 3341 and 3342, block by block.

Conventions: LUFS for levels, LU for differences, dBTP and dBFS for peaks; full scale is ±1. What
has no value (silence, too short) is None, never minus infinity, so that it survives JSON.

The K-weighting filter is derived for each sample rate from the analogue prototype behind the
coefficients that the standard prints for 48 kHz (De Man, "Evaluation of implementations of the EBU
R128 loudness measurement", AES 145, 2018).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

from core.audio.buffer import Samples, validate_block

MIN_SAMPLE_RATE = 8_000
MAX_SAMPLE_RATE = 192_000

_HOP_S = 0.1
_MOMENTARY_HOPS = 4  # 400 ms gating blocks, 75 % overlap
_SHORT_TERM_HOPS = 30  # 3 s
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_RANGE_GATE_LU = -20.0
_OFFSET_DB = -0.691  # BS.1770: K-weighting's gain at 997 Hz, taken off again

_HALF_TAPS = 16  # samples on either side of an interpolated value
_KAISER_BETA = 9.0  # 90 dB: flat to 0.9 of the Nyquist frequency


@dataclass(frozen=True, slots=True)
class Loudness:
    """What was measured; None where there is no value."""

    integrated_lufs: float | None
    loudness_range_lu: float | None
    true_peak_dbtp: float | None
    sample_peak_dbfs: float | None


def measure_loudness(blocks: Iterable[Samples], sample_rate: int, n_channels: int) -> Loudness:
    """Measure a recording given as blocks ``(n_channels, n)``; see `LoudnessMeter`."""
    meter = LoudnessMeter(sample_rate, n_channels)
    for block in blocks:
        meter.add(block)
    return meter.result()


class LoudnessMeter:
    """Measure block by block; the size of the blocks doesn't change the result.

    Every channel weighs 1, as BS.1770 has it for mono, left and right. Memory grows by one float a
    channel and 100 ms.

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
            raise ValueError(f"no loudness at {sample_rate} Hz: 8000 to 192000 Hz are measured")
        if n_channels not in (1, 2):
            raise ValueError(f"n_channels must be 1 or 2, got {n_channels}")
        self._n_channels = n_channels
        self._hop = _HOP_S * sample_rate
        self._filter = k_weighting(sample_rate)
        self._state = np.zeros((2, n_channels, 2))
        self._rest = np.zeros((n_channels, 0))
        self._n_hops = 0
        self._hop_powers: list[NDArray[np.float64]] = []
        self._sample_peak = 0.0
        self._true_peak = _TruePeak(sample_rate, n_channels)

    def add(self, block: Samples) -> None:
        """Take the next samples, float32 ``(n_channels, n)``; any n, none included."""
        validate_block(block, n_channels=self._n_channels)
        if not block.shape[1]:
            return
        self._sample_peak = max(self._sample_peak, float(np.abs(block).max()))
        self._true_peak.add(block)
        weighted, self._state = sosfilt(
            self._filter, block.astype(np.float64), axis=1, zi=self._state
        )
        self._add_hops(np.concatenate([self._rest, weighted], axis=1))

    def result(self) -> Loudness:
        """Return all of it."""
        return Loudness(
            integrated_lufs=self.integrated_lufs(),
            loudness_range_lu=self.loudness_range_lu(),
            true_peak_dbtp=self.true_peak_dbtp(),
            sample_peak_dbfs=self.sample_peak_dbfs(),
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
        return _decibels(max(self._true_peak.value(), self._sample_peak))

    def sample_peak_dbfs(self) -> float | None:
        """Return the largest sample; None for digital silence."""
        return _decibels(self._sample_peak)

    def _add_hops(self, weighted: NDArray[np.float64]) -> None:
        """Reduce whole hops of 100 ms to their power and keep the rest."""
        # Rates like 11 025 Hz have no whole number of samples a hop: round each border instead.
        origin = round(self._n_hops * self._hop)
        start = 0
        while (stop := round((self._n_hops + 1) * self._hop) - origin) <= weighted.shape[1]:
            self._hop_powers.append(np.mean(np.square(weighted[:, start:stop]), axis=1))
            self._n_hops += 1
            start = stop
        self._rest = weighted[:, start:].copy()

    def _window_powers(self, n_hops: int) -> NDArray[np.float64]:
        """Return the summed channel power of every window of ``n_hops``, one hop apart."""
        if len(self._hop_powers) < n_hops:
            return np.zeros(0)
        powers = np.sum(self._hop_powers, axis=1)
        windows = np.lib.stride_tricks.sliding_window_view(powers, n_hops)
        return np.asarray(windows.mean(axis=1), dtype=np.float64)


def k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """Return BS.1770's K-weighting (shelf, then high-pass) as second-order sections ``(2, 6)``."""
    f0, gain_db, q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
    k = np.tan(np.pi * f0 / sample_rate)
    vh = 10 ** (gain_db / 20)
    vb = vh**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = [
        (vh + vb * k / q + k * k) / a0,
        2 * (k * k - vh) / a0,
        (vh - vb * k / q + k * k) / a0,
        1.0,
        2 * (k * k - 1) / a0,
        (1 - k / q + k * k) / a0,
    ]
    f0, q = 38.13547087602444, 0.5003270373238773
    k = np.tan(np.pi * f0 / sample_rate)
    a0 = 1 + k / q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]
    return np.array([shelf, high_pass])


class _TruePeak:
    """Peak of the signal interpolated between its samples, with state across blocks.

    4 points a sample below 96 kHz, 2 below 192 kHz, the samples themselves from there, as annex 2
    of BS.1770 asks. A Kaiser-windowed sinc instead of the annex's example filter: it passes the
    samples themselves unchanged and reads less than 0.1 dB low up to 0.9 of the Nyquist frequency.
    """

    _FRAME = 32  # outputs a row of the matrix product

    def __init__(self, sample_rate: int, n_channels: int) -> None:
        factor = 1 if sample_rate >= 192_000 else 2 if sample_rate >= 96_000 else 4
        self._peak = 0.0
        self._matrix = self._interpolator(factor)
        self._tail = np.zeros((n_channels, 2 * _HALF_TAPS - 1), dtype=np.float32)

    def add(self, block: Samples) -> None:
        if self._matrix.shape[1]:
            joined = np.concatenate([self._tail, block], axis=1)
            self._tail = joined[:, 1 - 2 * _HALF_TAPS :].copy()
            self._peak = max(self._peak, self._scan(joined))

    def value(self) -> float:
        """Return the peak, with the recording followed by silence."""
        if not self._matrix.shape[1]:
            return self._peak
        silence = np.zeros((self._tail.shape[0], _HALF_TAPS), dtype=np.float32)
        return max(self._peak, self._scan(np.concatenate([self._tail, silence], axis=1)))

    def _scan(self, joined: Samples) -> float:
        """Return the largest interpolated value of ``(n_channels, n + taps - 1)`` samples."""
        # Rows of 32 outputs times a banded matrix: BLAS makes this several times faster than
        # filtering phase by phase, though two thirds of the matrix are zeros.
        n_outputs = joined.shape[1] - 2 * _HALF_TAPS + 1
        n_rows = -(-n_outputs // self._FRAME)
        width = self._FRAME + 2 * _HALF_TAPS - 1
        n_padded = n_rows * self._FRAME + 2 * _HALF_TAPS - 1
        peak = 0.0
        for channel in joined:
            # Padding only fills the last row; its outputs aren't part of the signal.
            padded = np.pad(channel, (0, n_padded - len(channel)))
            rows = np.lib.stride_tricks.sliding_window_view(padded, width)[:: self._FRAME]
            values = np.abs(rows @ self._matrix).reshape(n_rows, -1, self._FRAME)
            last = n_outputs - (n_rows - 1) * self._FRAME
            peak = max(peak, float(values[:-1].max(initial=0.0)))
            peak = max(peak, float(values[-1, :, :last].max()))
        return peak

    def _interpolator(self, factor: int) -> NDArray[np.float32]:
        """Return ``(width, (factor - 1) * 32)``: column = one interpolated point of one output."""
        n_taps = 2 * _HALF_TAPS
        matrix = np.zeros((self._FRAME + n_taps - 1, factor - 1, self._FRAME))
        window = np.arange(n_taps) - _HALF_TAPS + 1
        for phase in range(1, factor):
            distance = window - phase / factor
            reach = np.sqrt(np.clip(1 - (distance / _HALF_TAPS) ** 2, 0, None))
            taps = np.sinc(distance) * np.i0(_KAISER_BETA * reach) / np.i0(_KAISER_BETA)
            for output in range(self._FRAME):
                matrix[output : output + n_taps, phase - 1, output] = taps / taps.sum()
        flat = matrix.reshape(matrix.shape[0], -1)
        return np.ascontiguousarray(flat, dtype=np.float32)


def _lufs(power: NDArray[np.float64] | np.floating) -> NDArray[np.float64]:
    """Return the loudness of a K-weighted power; minus infinity for 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(_OFFSET_DB + 10 * np.log10(power), dtype=np.float64)


def _decibels(amplitude: float) -> float | None:
    return float(20 * np.log10(amplitude)) if amplitude > 0 else None
